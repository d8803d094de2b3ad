"""Pictures with their axes in any order."""

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.pixels import as_picture, is_picture, picture_shape
from quickstudy.envs.spaces import Spaces

pytest.importorskip("gymnasium")
import gymnasium
from gymnasium.spaces import Box, Discrete


def pixels(*shape, high=255):
    return Box(0, high, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "last"),
    [
        ((84, 60, 3), lambda x: x),
        ((84, 60), lambda x: x[..., None]),
        ((4, 84, 60), lambda x: x.transpose(1, 2, 0)),
        ((5, 84, 60), lambda x: x.transpose(1, 2, 0)),
        ((84, 60, 12), lambda x: x),
        ((5, 5, 3), lambda x: x),
        ((3, 5, 4), lambda x: x),
        ((3, 8, 9, 4), lambda x: np.concatenate(list(x), -1)),
        ((3, 4, 8, 9), lambda x: np.concatenate([one.transpose(1, 2, 0) for one in x], -1)),
    ],
)
def test_channels_go_last(shape, last):
    space = pixels(*shape)
    assert is_picture(space)
    value = space.sample()
    found = as_picture(value)
    assert found.dtype == np.float32
    assert found.shape == picture_shape(space) == last(value).shape
    np.testing.assert_allclose(found, last(value) / 255, rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 8, 3), (8, 0, 3), (8, 8, 0), (0, 0)])
def test_an_empty_picture_is_refused(shape):
    for space in (pixels(*shape), gymnasium.spaces.Tuple([Discrete(2), pixels(*shape)])):
        with pytest.raises(qs.BadInput, match="there is nothing to see"):
            Spaces(space, Discrete(2))


class Grey(gymnasium.Env):
    """Shows one number everywhere."""

    observation_space, action_space = pixels(12, 10), Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.full((12, 10), 51, np.uint8), {}


def test_gymnasiums_own_stacks_of_frames():
    stacked = gymnasium.wrappers.FrameStackObservation(Grey(), 3)
    found = as_picture(stacked.reset()[0])
    assert picture_shape(stacked.observation_space) == found.shape
    assert found.shape == (12, 10, 3)
    assert found[..., -1].tolist() == [[pytest.approx(0.2)] * 10] * 12


def test_a_wrapper_leaves_bytes_as_they_are():
    """As docs/own-environment.md says, for bytes that are no picture."""
    box = Box(0, 255, (12, 10))
    plain = gymnasium.wrappers.TransformObservation(Grey(), np.float32, box)
    spaces = Spaces(plain.observation_space, plain.action_space)
    assert spaces.pictures == ()
    assert (spaces.observed(plain.reset()[0]) == 51).all()


def test_pictures_of_few_values_are_scaled_by_their_bounds():
    for low, high, value in ((0, 2, 2), (7, 7, 7), (7, 9, 8)):
        spaces = Spaces(Box(low, high, (3, 3), np.uint8), Discrete(2))
        seen = spaces.observed(np.full((3, 3), value, np.uint8))
        assert (seen == (value - low) / max(high - low, 1)).all()


@pytest.mark.parametrize("shape", [(84, 6, 60), (2, 2, 2, 2, 2)])
def test_axes_that_cannot_be_told_are_refused(shape):
    with pytest.raises(qs.BadInput, match=r"channels cannot be told.*TransformObservation"):
        picture_shape(pixels(*shape))


def test_other_boxes_are_no_pictures():
    assert not is_picture(Box(0, 1, (84, 84, 3), np.float32))
    assert not is_picture(pixels(128))
    assert not is_picture(Discrete(2))
