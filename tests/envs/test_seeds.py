"""Seeds of copies: each its own, whatever the number of copies."""

from quickstudy.envs.seeds import own_seeds


def test_each_copy_task_and_visit_has_its_own():
    all_of = own_seeds(3, range(6), each=2, visit=0)
    assert own_seeds(3, range(4, 6), each=2, visit=0) == all_of[4:]
    assert len({*all_of, *own_seeds(3, range(6), each=2, visit=1)}) == 12
    assert own_seeds(4, range(6), each=2, visit=0) != all_of
