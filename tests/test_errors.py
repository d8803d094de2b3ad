"""Errors say what was given and what to give; what is at a limit is within it."""

import math
import subprocess
import sys
from functools import partial

import jax
import numpy as np
import pytest

from quickstudy import errors
from quickstudy.errors import BadInput, QuickstudyError

DEMANDS = {
    "counts": (
        errors.demand_counts,
        (1, 7, np.int64(2)),
        (0, -1, 1.5, 4.0, "3", True),
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
    "shares": (
        errors.demand_shares,
        (0.0, 0.5, 1, np.float32(1)),
        (-0.1, 1.1, math.nan, "1", None),
        "a number from 0 to 1",
    ),
    "positive": (
        errors.demand_positive,
        (1e-9, 3),
        (0.0, -1.0, math.inf, math.nan, "2", None),
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


def test_a_key_is_one_of_jax_s():
    for key in (jax.random.key(0), jax.random.PRNGKey(0), jax.random.key_data(jax.random.key(0))):
        errors.demand_key(key)
    for given, seed in ((0, 0), (7, 7), (None, 0), ("a", 0), (True, 0)):
        with pytest.raises(BadInput, match=rf"key is .*as jax\.random\.key\({seed}\)"):
            errors.demand_key(given)


@pytest.mark.parametrize("use", ["train(L, T, validation=T, key=3)", "evaluate(L, T, key=3)"])
def test_a_seed_is_no_key(use):
    """Without the type checker of these tests, which would refuse it first."""
    program = (
        "import jax, quickstudy as qs\n"
        "T, net = qs.Sinusoid(shots=2), qs.MLP(1, (2, 1), key=jax.random.key(0))\n"
        "L = qs.MAML(net, inner_lr=0.1, loss=qs.squared_error)\n"
        f"qs.{use}\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "BadInput: key is 3; give a key of JAX's, as jax.random.key(3)" in ended.stderr
