"""The check of families: right ones pass; each property has families wrong in just that."""

import pytest

pytest.importorskip("gymnasium")
import gymnasium
import numpy as np

from quickstudy import BadInput
from quickstudy.testing import FAMILY_PROPERTIES, ConformanceError, check_family
from references import broken_levers, poles


def check(family, **given):
    check_family(family.make, family.sample_task, family.set_task, family.horizon, **given)


WRONG = {
    broken_levers.NoLicence: ("returned", "make failed with RuntimeError: no licence"),
    broken_levers.NoTasks: ("returned", "sample_task failed with LookupError: none left"),
    broken_levers.Wrapped: ("returned", r"write env\.unwrapped\.angle"),
    broken_levers.NoReward: ("returned", r"step failed in the task 0\.8.*the reward is None"),
    broken_levers.FarOutside: ("returned", r"the number 250 at \(0,\), far outside the space"),
    broken_levers.StaysOpen: ("closing", "OSError: still busy"),
    broken_levers.Seedless: ("seeds", r"draw everything from self\.np_random"),
    broken_levers.SeedlessTasks: (
        "seeds",
        r"sample_task drew .* and then .* from the same generator",
    ),
    broken_levers.DriftingForAll: ("seeds", "changes the task that it is given"),
    broken_levers.Drifting: ("used", "changes the task that it is given"),
    broken_levers.Remembering: ("used", r"let reset\(\) undo all that an episode has changed"),
    broken_levers.Misspelt: ("tasks", "32 pairs of tasks .* in episodes of 5 steps"),
    broken_levers.OneTask: ("tasks", r"\(0\.5, 0\.5, 0\.5 \.\.\.\)"),
    broken_levers.Redrawn: ("tasks", r"reset\(\) draws a task anew"),
    broken_levers.Rare: ("tasks", "too late or too rarely"),
    broken_levers.RedrawnLater: ("reset", "in the first episode, and never in the second"),
    broken_levers.SharedByTheClass: ("copies", "a global, or in the class"),
    broken_levers.SharedByTheModule: ("copies", "a global, or in the class"),
    broken_levers.SharedRandomNumbers: ("copies", "when another is stepped beside it"),
}


@pytest.mark.parametrize("family", WRONG, ids=lambda family: family.__name__)
def test_what_is_wrong_is_named(family):
    broken, said = WRONG[family]
    with pytest.raises(ConformanceError, match=f"breaks the property '{broken}'.*{said}") as error:
        check(family())
    assert error.value.broken == broken


def test_every_property_is_broken_by_some_family():
    assert {broken for broken, _ in WRONG.values()} == set(FAMILY_PROPERTIES)


@pytest.mark.parametrize("family", [broken_levers.Lever, broken_levers.Late])
def test_what_is_right_passes(family):
    check(family())


def test_episodes_that_end_early_are_no_matter():
    check_family(poles.make, poles.sample_task, poles.set_task)


def test_properties_are_left_out():
    check(broken_levers.Rare(), except_for=("tasks", "reset"))
    check(broken_levers.SharedByTheClass(), copies=1)
    with pytest.raises(BadInput, match=r"\['task'\] are no properties; choose from \['returned'"):
        check(broken_levers.Lever(), except_for=("task",))
    with pytest.raises(BadInput, match="copies is 0"):
        check(broken_levers.Lever(), copies=0)


def test_as_many_are_open_as_may_be_and_none_is_left():
    class Counted(broken_levers.LeverEnv):
        open, most = 0, 0

        def __init__(self):
            Counted.open += 1
            Counted.most = max(Counted.most, Counted.open)

        def close(self):
            Counted.open -= 1

    class Family(broken_levers.Lever):
        env = Counted

    for copies in (1, 2):
        check(Family(), copies=copies)
        assert (Counted.open, Counted.most) == (0, copies)

    class Wrong(Family):
        def sample_task(self, rng):
            return 0.5

    with pytest.raises(ConformanceError):
        check(Wrong())
    assert Counted.open == 0


def test_a_little_outside_the_bounds_is_no_matter():
    class Seeing(broken_levers.LeverEnv):
        observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)

        def step(self, action):
            seen, *rest = super().step(action)
            return seen + 1, *rest

    class Family(broken_levers.Lever):
        env = Seeing

    check(Family())
