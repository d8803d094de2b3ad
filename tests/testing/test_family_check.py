"""The check of families: right ones pass; each property has families wrong in just that."""

import pytest

pytest.importorskip("gymnasium")
import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from quickstudy import BadInput
from quickstudy.testing import FAMILY_PROPERTIES, ConformanceError, check_family, check_vector
from references import broken_levers, poles, spaced

HORIZON = 5


def check(family, **given):
    check_family(family.make, family.sample_task, family.set_task, family.horizon, **given)


WRONG = {
    broken_levers.NoLicence: ("returned", "make failed with RuntimeError: no licence"),
    broken_levers.NoTasks: ("returned", "sample_task failed with LookupError: none left"),
    broken_levers.Wrapped: ("returned", r"write env\.unwrapped\.angle"),
    broken_levers.NoReward: ("returned", r"step failed in the task 0\.8.*the reward is None"),
    broken_levers.FarOutside: (
        "returned",
        r"the number 250 at \(0,\), .* far outside -?\d+ to \d+ of the space",
    ),
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
    broken_levers.OneTask: ("tasks", r"sample_task draws one task alone, 0\.5: let it draw"),
    broken_levers.Normalized: ("used", "leave out the wrapper NormalizeReward, .*--scale running"),
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


FAR_OUTSIDE = [
    (
        gymnasium.spaces.Dict(x=gymnasium.spaces.Box(-1, 1, (2,))),
        {"x": np.float32([900, 0])},
        "900",
    ),
    (gymnasium.spaces.Box(0, 5, (2,), np.int64), np.array([0, 5000]), "5000"),
    (gymnasium.spaces.Box(0, 1, (9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8), "255"),
]


class Shows(spaced.Finds):
    """One observation for ever."""

    def __init__(self, space, seen):
        self.spaces, self.seen = (space, spaced.ACTIONS["box"]), seen

    def make(self):
        env = super().make()
        env.observation_space.sample = lambda: self.seen
        return env


@pytest.mark.parametrize(("space", "seen", "said"), FAR_OUTSIDE, ids=["Dict", "whole", "picture"])
def test_numbers_far_outside_any_space_are_named(space, seen, said):
    family = Shows(space, seen)
    with pytest.raises(ConformanceError, match=f"has the number {said} at .* far outside"):
        check(family)


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
    with pytest.raises(BadInput, match=r"except_for is 'tasks'; give several names, as \('tasks"):
        check(broken_levers.Lever(), except_for="tasks")
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


class Turned(gymnasium.vector.VectorWrapper):
    """Hands out the copies' own tasks at `begin`, and those of the copy beside them later."""

    def reset(self, *, seed=None, options=None):
        if options:
            for env in self.env.envs:
                env.unwrapped.angle = 0.5
        return self.env.reset(seed=seed, options=options)


class Beside(gymnasium.vector.VectorWrapper):
    """When one copy begins an episode, the others' tasks are lost until they begin theirs."""

    def __init__(self, env):
        super().__init__(env)
        self.own = [None] * self.num_envs

    def reset(self, *, seed=None, options=None):
        for n, env in enumerate(self.env.envs):
            if not options:
                self.own[n] = env.unwrapped.angle
            env.unwrapped.angle = self.own[n] if not options or options["reset_mask"][n] else 9
        return self.env.reset(seed=seed, options=options)


def levers(copies, mode=AutoresetMode.DISABLED):
    def lever():
        return gymnasium.wrappers.TimeLimit(broken_levers.LeverEnv(), HORIZON)

    return SyncVectorEnv([lever] * copies, autoreset_mode=mode)


def each_its_own(vector, tasks):
    for env, task in zip(vector.unwrapped.envs, tasks, strict=True):
        env.unwrapped.angle = task


def one_for_all(vector, tasks):
    each_its_own(vector, [tasks[0]] * len(tasks))


def misspelt(vector, tasks):
    for env, task in zip(vector.envs, tasks, strict=True):
        env.unwrapped.angel = task


def same_step(copies):
    return levers(copies, AutoresetMode.SAME_STEP)


@pytest.mark.parametrize(
    ("make", "set_tasks", "broken", "said"),
    [
        (levers, misspelt, "tasks", "set_tasks does not change"),
        (levers, one_for_all, "copies", "must put each copy into its own"),
        (lambda n: Turned(levers(n)), each_its_own, "reset", "never in the second"),
        (lambda n: Beside(levers(n)), each_its_own, "copies", "episode ends before; reset"),
        (lambda n: levers(n + 1), each_its_own, "returned", "has 3 copies, and 2 are wanted"),
        (levers, lambda v, t: setattr(v, "angle", t), "returned", r"unwrapped\.set_attr\('angle'"),
        (levers, lambda v, t: each_its_own(v, "?!"), "returned", r"step failed in the tasks \["),
        (
            levers,
            lambda v, t: each_its_own(v, [0, np.nan]),
            "returned",
            "task .* of copy 1: the re",
        ),
    ],
    ids=["misspelt", "one for all", "later", "mask", "copies", "on the vector", "fails", "finite"],
)
def test_what_is_wrong_with_a_vector_is_named(make, set_tasks, broken, said):
    family = broken_levers.Lever()
    with pytest.raises(ConformanceError, match=f"the vector breaks .*'{broken}'.*{said}"):
        check_vector(make, family.sample_task, set_tasks, HORIZON)


@pytest.mark.parametrize("make", [levers, same_step])
def test_a_right_vector_passes(make):
    check_vector(make, broken_levers.Lever().sample_task, each_its_own, HORIZON)
