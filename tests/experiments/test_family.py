"""Families of MDPs as problems: trials, hosts that are closed, and how a trial is shown."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.host_family import HostFamily
from quickstudy.experiments.family import FamilyProblem, HostProblem, Watching
from quickstudy.experiments.problems.bandit import BanditFamily
from quickstudy.experiments.problems.plane import NavigationFamily

pytest.importorskip("gymnasium")
from references import poles

WATCHING = Watching(compiled=lambda path: ("drawn", path), filmed=lambda path: ("filmed", path))


class Poles:
    """A family of the user's own."""

    horizon = 20
    sample_task, set_task = staticmethod(poles.sample_task), staticmethod(poles.set_task)

    @staticmethod
    def make(render_mode):
        assert render_mode == "rgb_array"
        return poles.make()


@dataclass(frozen=True)
class PoleProblem(HostProblem):
    name: ClassVar[str] = "poles"

    def family(self, split):
        return Poles


class Host:
    closed = 0

    def close(self):
        self.closed += 1


def test_a_trial_has_the_problem_s_episodes_unless_others_are_asked_for():
    problem = BanditFamily(trial_episodes=4)
    assert problem.trial("test").episodes == 4
    asked = problem.trial("test", episodes=7, in_a_row=2)
    assert (asked.episodes, asked.in_a_row) == (7, 2)
    with pytest.raises(qs.BadInput, match="trial_episodes is 0"):
        BanditFamily(trial_episodes=0)


def test_what_it_reads_in_words():
    assert (
        NavigationFamily().reads() == "observations of 2 and actions Continuous(size=2, limit=0.1)"
    )
    assert "observations of 0 and" in BanditFamily().reads()
    assert NavigationFamily().states() is None


def test_random_actions_stand_beside_every_score():
    problem = BanditFamily(arms=2, trial_episodes=3)
    found = problem.random(problem.trial("test"))(jax.random.key(0), 5)
    assert np.asarray(found.returns).shape == (5, 3)


def test_copies_are_stepped_here_or_in_processes():
    one = PoleProblem().environment("test", copies=3)
    assert isinstance(one, HostFamily)
    assert isinstance(one.host, qs.HostEnvironment)
    assert (one.host.copies, one.horizon) == (3, 20)
    assert PoleProblem(horizon=5).environment("test").horizon == 5
    alone = PoleProblem(processes=2).environment("test")
    assert isinstance(alone.host, qs.HostEnvironment), "one copy shares nothing"
    shared = PoleProblem(processes=2).environment("test", copies=4)
    assert isinstance(shared.host, qs.HostWorkers)
    assert len(shared.host.shares) == 2
    patient = PoleProblem(processes=2, patience=5, starting=7).environment("test", copies=4)
    assert patient.host.patience == qs.Patience(stepping=5, starting=7)
    with pytest.raises(qs.BadInput, match="patience is 0"):
        PoleProblem(patience=0)


def test_a_host_is_closed_whenever_it_has_been_asked():
    class Family:
        host = Host()

    def earn(key, trials):
        assert Family.host.closed == key
        return trials

    earning = PoleProblem().closed(earn, Family)
    assert (earning(0, 5), earning(1, 6)) == (5, 6)
    assert Family.host.closed == 2

    def broken():
        with PoleProblem().closing(Family.host):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        broken()
    assert Family.host.closed == 3
    with BanditFamily().closing(None):
        pass  # compiled families have nothing to close


def test_compiled_trials_are_drawn_and_others_filmed():
    assert BanditFamily().picture(WATCHING, "a") == ("drawn", "a")
    assert PoleProblem().picture(WATCHING, "a") == ("filmed", "a")
    assert issubclass(HostProblem, FamilyProblem)
    assert (PoleProblem().test_trials, NavigationFamily().test_trials) == (200, 1000)
