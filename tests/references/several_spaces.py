"""Spaces of every kind that policies read and act in."""

import numpy as np
import pytest


def spaces():
    gymnasium = pytest.importorskip("gymnasium")
    box, discrete = gymnasium.spaces.Box, gymnasium.spaces.Discrete
    picture = box(0, 255, (16, 16, 3), np.uint8)
    wide = box(np.array([0.0, -2.0]), np.array([10.0, np.inf]), dtype=np.float64)
    inside = {"b": discrete(3, start=-1), "a": gymnasium.spaces.Tuple([wide, picture])}
    several = gymnasium.spaces.MultiDiscrete([2, 3], start=[1, 5])
    tall = box(np.float32([[-1], [2]]), np.float32([[0], [9]]))
    seen = (box(-1, 1, (2,)), picture, gymnasium.spaces.Dict(inside))
    binary = gymnasium.spaces.MultiBinary((2, 2))
    return seen, (discrete(4, start=2), several, binary, box(-2, 2, (3,)), tall)
