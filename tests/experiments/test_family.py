"""Families of MDPs as problems: trials, hosts that are closed, and how a trial is shown."""

from dataclasses import dataclass, replace
from typing import ClassVar

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.envs.host_family import HostFamily
from quickstudy.experiments.family import FamilyProblem, HostProblem, Watching
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.bandit import BanditFamily
from quickstudy.experiments.problems.plane import NavigationFamily
from references.own_code import forget
from references.refusing import stopped
from references.simulators import opened, simulated, still_open

pytest.importorskip("gymnasium")
from references import poles

WATCHING = Watching(compiled=lambda path: ("drawn", path), filmed=lambda path: ("filmed", path))


class Poles:
    """A family of the user's own."""

    horizon = 20
    sample_task, set_task = staticmethod(poles.sample_task), staticmethod(poles.set_task)

    @staticmethod
    def make(render_mode):
        assert render_mode is None, "a training takes no picture"
        return poles.make()


@dataclass(frozen=True)
class PoleProblem(HostProblem):
    name: ClassVar[str] = "poles"

    def family(self, split):
        return Poles


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
    with pytest.raises(qs.BadInput, match="1 copies cannot be shared by 2 processes"):
        PoleProblem(processes=2).environment("test", copies=1)
    assert PoleProblem(copies=2).environment("test", copies=3).host.copies == 2
    shared = PoleProblem(processes=2).environment("test", copies=4)
    assert isinstance(shared.host, qs.HostWorkers)
    assert len(shared.host.shares) == 2
    patient = PoleProblem(processes=2, patience=5, starting=7).environment("test", copies=4)
    assert patient.host.patience == qs.Patience(stepping=5, starting=7)
    with pytest.raises(qs.BadInput, match="patience is 0"):
        PoleProblem(patience=0)


FEW = "--steps 2 --validate-every 1 --validation-episodes 2 --no-test"
SMALL = {
    "rl2": "--meta-batch 4 --width 4 --minibatches 1 --epochs 1",
    "maml": "--meta-batch 2 --width 4 --trajectories 1 --updates 1",
}


@pytest.mark.parametrize(
    ("method", "processes", "most"), [("rl2", 0, 1), ("maml", 0, 1), ("rl2", 2, 2)]
)
def test_simulators_are_opened_as_often_as_they_are_needed(method, processes, most, tmp_path):
    """Trained, tested and filmed, with no more open at once than there are copies, and none in the
    end; nothing that trains is opened twice."""
    on = simulated(tmp_path, f"simulator_{method}_{processes}", most)
    run, named = str(tmp_path / "run"), ["--recipe", on]
    how = f"{SMALL[method]} --copies {most} --processes {processes}"
    main(["train", method, "--on", on, *f"{how} {FEW} --run {run}".split()])
    before = opened(tmp_path)
    assert not still_open(tmp_path)
    assert len(set(before[-most:])) == max(processes, 1)
    main(["evaluate", run, "--episodes", "3", *named])
    # One to build the policy by, and those that it acts in.
    assert len(opened(tmp_path)) == len(before) + 1 + most
    assert not still_open(tmp_path)
    main(["play", run, *named])
    assert not still_open(tmp_path)
    forget(tmp_path)


def test_a_simulator_that_opens_once_is_trained_with_one_copy(tmp_path):
    """No other way round is offered: what fails in the check would fail in training."""
    problem = find_problem(simulated(tmp_path, "once", 1))
    with pytest.raises(qs.BadInput, match=r"'copies'.*every port is taken.*--copies 1") as said:
        problem.demand_contract(copies=4)
    assert "--contract" not in str(said.value)
    named = pytest.raises(qs.QuickstudyError, match=r"make: copy 1.*--copies 1")
    with problem.environment("train", 4).host as host, named:
        host.begin(0)
    replace(problem, copies=1).demand_contract(copies=4)
    forget(tmp_path)


@pytest.mark.parametrize("processes", [0, 2])
def test_simulators_are_closed_when_one_fails(processes, tmp_path, capsys):
    on = simulated(tmp_path, f"broken_{processes}", 4, broken=0.3)
    how = f"{SMALL['rl2']} {FEW} --processes {processes} --run {tmp_path / 'run'}"
    assert "the simulator broke" in stopped(["train", "rl2", "--on", on, *how.split()], capsys)
    assert opened(tmp_path)
    assert not still_open(tmp_path)
    forget(tmp_path)


def test_a_family_that_is_looked_at_is_left_closed(tmp_path):
    on = simulated(tmp_path, "looked_at", 1)
    problem = find_problem(on)
    for _ in range(2):
        assert problem.trial("train").environment.actions == qs.Continuous(1)
    assert len(opened(tmp_path)) == 2
    family = problem.environment("train", copies=1)
    assert len(opened(tmp_path)) == 2, "not before it is needed"
    with family.host as host:
        assert family.observation_shape == (1,)
        assert host.begin(0).shape == (1, 1)
        assert len(opened(tmp_path)) == 3
    assert not still_open(tmp_path)
    forget(tmp_path)


def test_the_host_is_closed_when_its_block_ends(caplog):
    class Host:
        closed = 0

        def close(self):
            self.closed += 1

    host = Host()

    def broken():
        with PoleProblem().closing(host):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        broken()
    assert host.closed == 1

    class Stuck(Host):
        def close(self):
            raise RuntimeError("stuck")

    with PoleProblem().closing(Stuck()):
        pass  # what was measured is kept, and a warning says what failed
    assert "an environment failed to close: RuntimeError: stuck" in caplog.text
    with BanditFamily().closing(None):
        pass  # compiled families have nothing to close


def test_compiled_trials_are_drawn_and_others_filmed():
    assert BanditFamily().picture(WATCHING, "a") == ("drawn", "a")
    assert PoleProblem().picture(WATCHING, "a") == ("filmed", "a")
    assert issubclass(HostProblem, FamilyProblem)
    assert (PoleProblem().test_trials, NavigationFamily().test_trials) == (200, 1000)
