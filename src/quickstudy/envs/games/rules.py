"""What touching a thing may do, which rules go together, and which combinations are for what.

A game has one rule from each of five groups. All 4 · 3 · 3 · 4 · 4 = 576 combinations are games;
each belongs to one split, for ever: every rule is met in training, and so is every pair of rules,
but the combinations of validation and test are not.
"""

import functools
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from quickstudy.errors import BadInput

NOTHING, TREASURE, CHEST, KEY, TOOL, DOOR, HAZARD, COIN, FRUIT, SHRINE = range(10)
THINGS = 9  # without nothing
KEEP = -1  # what is held stays held


class Touch(NamedTuple):
    """What walking into a thing does, if what it needs is held; else nothing happens.

    Attributes:
        needs: the thing to hold for it, or `NOTHING`.
        pays: the reward.
        becomes: what lies there afterwards.
        gives: what is held afterwards; what was held before is lost. `KEEP` changes nothing.
        ends: whether the episode is over.
        solid: whether it is touched from the next cell, and cannot be entered.
    """

    needs: int = NOTHING
    pays: float = 0.0
    becomes: int = NOTHING
    gives: int = KEEP
    ends: bool = False
    solid: bool = False


class Rules(eqx.Module):
    """A game's rules as tables, `[things + 1]` each; see `Touch`. The first row is of nothing."""

    needs: Int[Array, " symbols"]
    pays: Float[Array, " symbols"]
    becomes: Int[Array, " symbols"]
    gives: Int[Array, " symbols"]
    ends: Bool[Array, " symbols"]
    solid: Bool[Array, " symbols"]


ALWAYS = {
    TREASURE: Touch(pays=1.0, ends=True),
    KEY: Touch(gives=KEY),
    TOOL: Touch(gives=TOOL),
    FRUIT: Touch(pays=0.3),
}

# A group's rules by name, and the thing that each is about. Where the name is None, no such thing
# lies in the room: then the treasure itself does, or the doorway is free.
GROUPS: dict[str, dict[str, tuple[int, Touch | None]]] = {
    "treasure": {
        "in the open": (CHEST, None),
        "in a box": (CHEST, Touch(becomes=TREASURE, solid=True)),
        "in a locked chest": (CHEST, Touch(KEY, becomes=TREASURE, solid=True)),
        "made with the tool": (CHEST, Touch(TOOL, becomes=TREASURE, solid=True)),
    },
    "door": {
        "none": (DOOR, None),
        "needs the key": (DOOR, Touch(KEY, solid=True)),
        "takes a toll": (DOOR, Touch(pays=-0.1, solid=True)),
    },
    "hazard": {
        "burns": (HAZARD, Touch(pays=-0.1, becomes=HAZARD)),
        "kills": (HAZARD, Touch(pays=-0.2, becomes=HAZARD, ends=True)),
        "steals": (HAZARD, Touch(pays=-0.05, becomes=HAZARD, gives=NOTHING)),
    },
    "coin": {
        "pays": (COIN, Touch(pays=0.3)),
        "is worthless": (COIN, Touch()),
        "is cursed": (COIN, Touch(pays=-0.1)),
        "bears fruit": (COIN, Touch(becomes=FRUIT, solid=True)),
    },
    "shrine": {
        "does nothing": (SHRINE, Touch(becomes=SHRINE)),
        "pays": (SHRINE, Touch(pays=0.5)),
        "buys the tool": (SHRINE, Touch(TOOL, pays=0.5, gives=NOTHING)),
        "buys the key": (SHRINE, Touch(KEY, pays=0.5, gives=NOTHING)),
    },
}
SHAPE = tuple(len(rules) for rules in GROUPS.values())
COMBINATIONS = int(np.prod(SHAPE))
SPLITS = ("train", "validation", "test")

OBJECTS = (CHEST, KEY, DOOR, TOOL, HAZARD, HAZARD, COIN, COIN, SHRINE)
STAGES = (3, 2, 2, 2, 1, 1, 3, 3, 2)  # how many things each of them can be, one after the other


def rule_names(combination: int) -> dict[str, str]:
    """A combination in words, by group.

    Args:
        combination: 0 … 575.

    Raises:
        BadInput: there is no such combination.

    Example:
        >>> rule_names(300)
        {'treasure': 'in a locked chest', 'door': 'none', 'hazard': 'burns',
         'coin': 'bears fruit', 'shrine': 'does nothing'}
    """
    if not 0 <= combination < COMBINATIONS:
        raise BadInput(f"combination is {combination}; there are 0 to {COMBINATIONS - 1}")
    chosen = np.unravel_index(combination, SHAPE)
    pairs = zip(GROUPS.items(), chosen, strict=True)
    return {group: list(rules)[index] for (group, rules), index in pairs}


def combinations(split: str) -> np.ndarray:
    """The combinations of a split, by a fixed hash: about 5/8, 1/8 and 1/4 of all.

    Args:
        split: "train", "validation" or "test".

    Raises:
        BadInput: another name.

    Example:
        >>> [len(combinations(split)) for split in SPLITS]
        [361, 72, 143]
    """
    if split not in SPLITS:
        raise BadInput(f"split is {split!r}; the rules are split into {', '.join(SPLITS)}")
    # Knuth's multiplicative hash mixes the low bits into the high ones, which decide.
    mixed = (np.arange(COMBINATIONS, dtype=np.uint64) * 2654435761 % 2**32) >> 29
    # Of eight buckets five, one and two are the splits'.
    of = np.where(mixed < 5, 0, np.where(mixed < 6, 1, 2))
    return np.flatnonzero(of == SPLITS.index(split))


def touches(combination: int) -> list[Touch]:
    """What each thing does in this combination of rules, from `NOTHING` to `SHRINE`.

    Example:
        >>> touches(0)[COIN].pays
        0.3
    """
    table = [ALWAYS.get(thing, Touch()) for thing in range(THINGS + 1)]
    for group, name in rule_names(combination).items():
        thing, touch = GROUPS[group][name]
        table[thing] = touch or Touch()
    return table


@functools.cache
def _tables() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All combinations' touches, `[combinations, things + 1]` each, and their objects."""
    every = [touches(index) for index in range(COMBINATIONS)]
    tables = {
        name: np.array([[getattr(touch, name) for touch in row] for row in every], kind)
        for name, kind in Touch.__annotations__.items()
    }
    objects = np.tile(np.array(OBJECTS), (COMBINATIONS, 1))
    for index in range(COMBINATIONS):
        names = rule_names(index)
        if names["treasure"] == "in the open":
            objects[index, OBJECTS.index(CHEST)] = TREASURE
        if names["door"] == "none":
            objects[index, OBJECTS.index(DOOR)] = NOTHING
    return tables, objects


def thing_rules(combination: Int[Array, ""]) -> Rules:
    """A combination's rules by thing, in compiled code.

    Example:
        >>> int(thing_rules(jnp.array(300)).needs[CHEST]) == KEY
        True
    """
    tables, _ = _tables()
    return Rules(**{name: jnp.asarray(table)[combination] for name, table in tables.items()})


def thing_objects(combination: Int[Array, ""]) -> Int[Array, " objects"]:
    """The things that lie in the rooms when an episode begins, in the order of `OBJECTS`.

    Example:
        >>> thing_objects(jnp.array(0)).tolist() == [TREASURE, KEY, NOTHING, *OBJECTS[3:]]
        True
    """
    return jnp.asarray(_tables()[1])[combination]
