"""Spaces in files."""

import enum
import json

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.space_json import read_space, write_space
from references.several_spaces import spaces


def test_spaces_are_read_as_they_were_written():
    seen, acted = spaces()
    for space in (*seen, *acted):
        written = json.loads(json.dumps(write_space(space), allow_nan=False))
        assert read_space(written) == space
    gymnasium = pytest.importorskip("gymnasium").spaces
    whole = np.iinfo(np.int64)
    for space in (
        gymnasium.Box(0, whole.max, (2,), np.int64),
        gymnasium.Box(whole.min, whole.max, (1,), np.int64),
        gymnasium.Dict(
            {("a", 1): gymnasium.Discrete(2), ("b", ("c",)): gymnasium.MultiBinary([2])}
        ),
    ):
        assert read_space(json.loads(json.dumps(write_space(space)))) == space
    with pytest.raises(qs.BadInput, match="flatten it"):
        write_space(pytest.importorskip("gymnasium").spaces.Text(3))
    with pytest.raises(qs.BadInput, match="'Text' is no space"):
        read_space({"space": "Text"})


class Part(enum.Enum):
    PLACE = 1


class Side(enum.IntEnum):
    LEFT = 1


@pytest.mark.parametrize("name", [Part.PLACE, b"place", np.int64(3), ("a", Part.PLACE)])
def test_parts_whose_names_no_file_holds_are_told(name):
    gymnasium = pytest.importorskip("gymnasium").spaces
    space = gymnasium.Tuple([gymnasium.Dict([(name, gymnasium.Discrete(2))])])
    with pytest.raises(qs.BadInput, match=r"has the part .*; name its parts by text or whole"):
        write_space(space)


@pytest.mark.parametrize("name", ["ö", 3, Side.LEFT, None, True, ("a", (1, None))])
def test_parts_are_found_again_by_their_names(name):
    gymnasium = pytest.importorskip("gymnasium").spaces
    space = gymnasium.Dict([(name, gymnasium.Discrete(2))])
    assert list(read_space(json.loads(json.dumps(write_space(space)))).spaces) == [name]
