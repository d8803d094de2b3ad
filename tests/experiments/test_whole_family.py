"""A family of one's own that a problem returns may leave out what one that is named may."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.whole_family import WholeFamily

pytest.importorskip("gymnasium")
from references.levers import Lever


class Levers:
    """As short as a family can be: `make` takes nothing."""

    horizon = 5

    def make(self):
        return Lever()

    def sample_task(self, rng):
        return rng.uniform(-1.0, 1.0)

    def set_task(self, env, task):
        env.unwrapped.angle = task


class Listed:
    horizon, sample_task, tasks = 5, None, [-0.8, -0.3, 0.2, 0.7, 0.9]
    make, set_task = Levers.make, Levers.set_task


class Split(Listed):
    tasks: ClassVar = {"train": [-0.8, 0.2], "test": [0.7]}


class Endless:
    make, set_task, sample_task = Levers.make, Levers.set_task, Levers.sample_task


@dataclass(frozen=True)
class Problem(qs.HostProblem):
    own: Any = field(default=None)

    def family(self, split):
        return self.own


@pytest.mark.parametrize("family", [Levers(), Levers, Listed(), Split])
def test_a_family_that_a_problem_returns_is_stepped(family):
    problem = Problem(own=family)
    problem.demand_contract(copies=2)
    with problem.environment("train", copies=3).host as host:
        host.begin(0)
        assert host.step(np.zeros((3, 1), np.float32)).reward.shape == (3,)


def test_its_listed_tasks_are_divided():
    for family in (Listed, Split):
        own = {s: Problem(own=family).whole(s).sample_task.tasks for s in ("train", "test")}
        assert own["train"]
        assert own["test"]
        assert not set(own["train"]) & set(own["test"])
    assert Problem(own=Split).whole("validation").sample_task.tasks == (-0.8, 0.2)


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (None, r"family\('train'\) is None, without make, set_task, horizon, sample_task or tasks"),
        (Endless(), "without horizon; give it make"),
        (Endless, "without horizon; give it make"),
    ],
)
def test_what_it_lacks_is_named(family, said):
    for ask in (lambda p: p.environment("train"), lambda p: p.demand_contract(2)):
        with pytest.raises(qs.BadInput, match=said):
            ask(Problem(own=family))


def test_make_is_told_the_render_mode_where_it_takes_one():
    class Filmed(Levers):
        def make(self, render_mode=None):
            return render_mode

    assert WholeFamily(Filmed(), "test", "it").make("rgb_array") == "rgb_array"
    assert isinstance(WholeFamily(Levers(), "test", "it").make("rgb_array"), Lever)
