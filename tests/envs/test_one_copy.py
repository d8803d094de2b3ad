"""Which of several copies something is wrong with."""

import numpy as np
import pytest

from quickstudy.envs.one_copy import OfOneCopy, demand_finite, of_copy
from quickstudy.errors import BadInput


def test_what_fails_of_one_copy_names_it():
    assert of_copy(2, int, "7") == 7
    with pytest.raises(OfOneCopy, match="ZeroDivisionError") as said:
        of_copy(2, lambda: 1 / 0)
    assert said.value.copy == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e25])
def test_the_copy_whose_observation_is_not_finite_is_named(bad):
    seen = np.zeros((3, 2, 2), np.float32)
    assert demand_finite(seen) is seen
    seen[1, 0, 1] = bad
    with pytest.raises(BadInput, match="1 of 4 numbers in the observation are infinite,") as said:
        demand_finite(seen)
    assert said.value.copy == 1
    demand_finite(np.zeros((3, 0)))


@pytest.mark.parametrize(
    "bad", [np.array([[np.inf]], np.float16), np.array([[np.iinfo(np.int64).min]])]
)
def test_the_limit_is_the_same_in_every_type(bad):
    with pytest.raises(BadInput, match="1 of 1 numbers in the observation are infinite,"):
        demand_finite(bad)
