"""None stays open because another would not close."""

import pytest

from quickstudy.envs.closing import close_all


class Door:
    def __init__(self, stuck):
        self.stuck, self.closed = stuck, False

    def close(self):
        self.closed = True
        if self.stuck:
            raise RuntimeError("stuck")


def test_all_are_closed_where_one_fails():
    doors = [Door(stuck) for stuck in (False, True, False)]
    opened = list(doors)
    with pytest.raises(RuntimeError, match="stuck"):
        close_all(opened)
    assert all(door.closed for door in doors)
    assert opened == []
