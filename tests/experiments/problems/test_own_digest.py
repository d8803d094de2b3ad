"""The short name of tasks: another for tasks that differ in any number, the same for the same."""

import copy
import hashlib
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.experiments.problems.own_digest import digest, is_of, may_be_one

Pair = namedtuple("Pair", "goal map")


@dataclass
class Maze:
    map: np.ndarray
    seed: int = field(default=0, repr=False)


def grid(last=0.0):
    """As large as NumPy does not print in full."""
    found = np.zeros((40, 40))
    found[20, 20] = last
    return found


def objects(last):
    return np.array([grid(last), None], object)


APART = [
    ({"map": grid()}, {"map": grid(1)}),
    ([[grid()]], [[grid(1)]]),
    (Maze(grid()), Maze(grid(1))),
    (Maze(grid(), 0), Maze(grid(), 1)),
    (Pair(1, grid()), Pair(1, grid(1))),
    ({"goal": np.array([0.123456789])}, {"goal": np.array([0.1234567889])}),
    ({"goal": np.zeros(2, np.float32)}, {"goal": np.zeros(2)}),
    (jnp.asarray(grid()), jnp.asarray(grid(1))),
    (objects(0), objects(1)),
    (OrderedDict(map=grid()), OrderedDict(map=grid(1))),
    (0.1, 0.1 + 1e-17 * 3),
    ([1], (1,)),
    (1, True),
    ({"a"}, {"b"}),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_other_tasks_have_another_name(one, other):
    names = [digest([task, 3.0]) for task in (one, copy.deepcopy(one), other)]
    assert names[0] == names[1] != names[2]
    assert all(names)


def test_the_order_of_a_set_or_a_dict_is_no_matter():
    assert digest([{"b": grid(), "a": 1}]) == digest([{"a": 1, "b": grid()}])
    assert digest([frozenset("abcdef")]) == digest([frozenset("fedcba")])


def test_what_tells_an_address_has_no_name():
    class Nameless:
        pass

    for task in (Nameless(), {"map": grid(), "more": Nameless()}, lambda: 0):
        assert digest([task]) == ""
        assert is_of("2-0123456789ab", [task])
        assert is_of("0123456789ab", [task])


def test_names_of_runs_made_before_are_known():
    """Plain tasks keep the name they had, and others are known by it."""

    def printed(tasks):
        return hashlib.sha256(repr(tasks).encode()).hexdigest()[:12]

    plain = [0.5, {"goal": [1, 2.0], "name": "ü"}, (None, True)]
    assert digest(plain) == printed(plain)
    array = np.arange(3.0)
    assert digest([array]) == printed([(array.shape, array.dtype.str, array.tobytes())])
    nested = [{"map": grid()}]
    assert digest(nested).startswith("2-")
    assert is_of(printed(nested), nested)
    assert is_of(digest(nested), nested)
    assert not is_of(printed(nested), [{"map": np.ones(2)}])
    assert not is_of(digest(nested), [{"map": grid(1)}])
    assert is_of("", nested), "of a run that kept no name"


def test_names_of_two_forms_cannot_be_told_apart():
    assert may_be_one("2-0123", "0123")
    assert not may_be_one("2-0123", "2-0124")
    assert not may_be_one("0123", "0124")
    assert may_be_one("0123", "0123")


def test_a_random_key_is_told_by_what_it_prints():
    assert digest([jax.random.key(0)]) != digest([jax.random.key(1)])
