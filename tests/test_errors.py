"""Errors say what was given and what to give; what is at a limit is within it."""

import math
from functools import partial

import numpy as np
import pytest

from quickstudy import errors
from quickstudy.errors import BadInput, QuickstudyError

DEMANDS = {
    "counts": (
        errors.demand_counts,
        (1, 7, np.int64(2)),
        (0, -1, 1.5, 4.0, "3"),
        "a whole number of 1 or more",
    ),
    "sizes": (
        errors.demand_sizes,
        ((1,), [2, np.int64(3)]),
        ((), (0,), (2.5,), 3, "33", None),
        "one or more whole numbers of 1 or more",
    ),
    "three sizes": (
        partial(errors.demand_sizes, 3),
        ((28, 28, 1),),
        ((28, 28), (28, 28, 0), 28),
        "3 whole numbers of 1 or more",
    ),
    "shares": (errors.demand_shares, (0.0, 0.5, 1), (-0.1, 1.1, math.nan), "a number from 0 to 1"),
    "positive": (
        errors.demand_positive,
        (1e-9, 3),
        (0.0, -1.0, math.inf, math.nan),
        "a finite number above 0",
    ),
}


@pytest.mark.parametrize("name", DEMANDS)
def test_what_is_demanded(name):
    demand, right, wrong, wanted = DEMANDS[name]
    for value in right:
        demand(mine=value)
    for value in wrong:
        with pytest.raises(BadInput) as caught:
            demand(fine=right[0], mine=value)
        assert str(caught.value) == f"mine is {value!r}; give {wanted}"


def test_ours_are_caught_as_one_and_as_python_s_own():
    kinds = (BadInput, errors.DataError, errors.CheckpointError, errors.NonFiniteLoss)
    assert all(issubclass(kind, QuickstudyError) for kind in kinds)
    assert issubclass(BadInput, ValueError)
    assert issubclass(errors.NonFiniteLoss, FloatingPointError)
