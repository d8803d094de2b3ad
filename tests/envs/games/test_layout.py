"""Where things lie in a game."""

import numpy as np

from quickstudy.envs.games.rules import CHEST, DOOR, KEY, OBJECTS


def test_layouts(sampled):
    cells, starts = np.asarray(sampled.cells), np.asarray(sampled.start)
    apart = np.abs(cells[:, :, None] - cells[:, None]).sum(-1) + 9 * np.eye(9, dtype=int)
    assert apart.min() == 2
    chest, key, door = (cells[:, OBJECTS.index(thing)] for thing in (CHEST, KEY, DOOR))
    assert (chest[:, 1] > 3).all()
    assert (key[:, 1] < 3).all()
    assert (door[:, 1] == 3).all()
    assert set(door[:, 0]) == {1, 3}
    assert (np.abs(cells - starts[:, None]).sum(-1) > 0).all()
    assert len(np.unique(starts, axis=0)) == 9
    walls = np.asarray(sampled.walls)
    assert (walls.sum((1, 2)) == 4).all()
    assert not walls[np.arange(500), door[:, 0], 3].any()
    both = [len(np.unique(cells[:, i], axis=0)) for i in range(3, 9)]
    assert both == [12] * 6
