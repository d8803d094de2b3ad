"""One of so many choices: observations at the door, and what messages show of a value."""

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.choices import short
from quickstudy.envs.door import first_seen

gymnasium = pytest.importorskip("gymnasium")
spaces = gymnasium.spaces


@pytest.mark.parametrize(
    ("space", "good", "bad"),
    [
        (
            spaces.Discrete(3),
            (0, 2, np.int64(1), np.array(2)),
            (-1, 3, 0.5, None, "1", [0], np.nan),
        ),
        (spaces.Discrete(3, start=1), (1, 3), (0, 4)),
        (spaces.MultiDiscrete([3, 2]), ([2, 1], np.zeros(2)), ([3, 1], [1], [1, -1], [[1, 1]])),
        (
            spaces.MultiBinary(3),
            ([0, 1, 1], np.ones(3, bool)),
            ([0, 2, 0], [np.nan, 0, 0], [1] * 4),
        ),
        (spaces.Dict({"a": spaces.Discrete(2)}), ({"a": 1},), ({"a": 2},)),
    ],
    ids=str,
)
def test_observations_are_among_the_choices(space, good, bad):
    for one in good:
        first_seen((one, {}), space)
    for one in bad:
        with pytest.raises(BadInput, match="which is not in the space"):
            first_seen((one, {}), space)


def test_a_value_is_told_on_one_short_line():
    assert short([1, 2]) == "[1, 2]"
    told = short(np.zeros((40, 40)))
    assert len(told) == 120
    assert told.endswith("...")
    assert "\n" not in told
