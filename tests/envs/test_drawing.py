"""Text as pictures: a cell for each character, in its own colour."""

import itertools

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.drawing import LINE, LOOKS, PIXELS, Drawn, frame


def test_a_character_is_a_cell_of_its_colour():
    picture = frame(["#@", ".G"])
    assert (picture.shape, picture.dtype) == ((2 * PIXELS, 2 * PIXELS, 3), np.uint8)
    middle = PIXELS // 2
    for (row, column), character in zip(itertools.product((0, 1), (0, 1)), "#@.G", strict=True):
        pixel = picture[row * PIXELS + middle, column * PIXELS + middle]
        assert tuple(pixel) == LOOKS[character].colour
    assert tuple(picture[-1, 0]) == tuple(picture[PIXELS, PIXELS - 1]) == LINE, "cells have edges"


def test_no_two_characters_look_alike():
    cells = [frame([character]) for character in LOOKS]
    assert all(not np.array_equal(*pair) for pair in itertools.combinations(cells, 2))
    shapes = {frame([c]).tobytes(): c for c in "abcdefghi"}
    assert len(shapes) == 9


def test_what_cannot_be_painted():
    with pytest.raises(BadInput, match=r"rows have \[2, 1\] characters"):
        frame(["##", "#"])
    with pytest.raises(BadInput, match=r"cannot paint \['\?'\]; the known characters are"):
        frame(["#?"])


class Lamp(Drawn):
    def rows(self, state, task):
        return ["#" * task, "." * state + "@" * (task - state)]


def test_rows_are_text_and_picture():
    assert Lamp().render(1, 2) == "##\n.@"
    np.testing.assert_array_equal(Lamp().frame(1, 2), frame(["##", ".@"]))
