"""Learners, tried on shapes; those of the user's own by name."""

from dataclasses import dataclass
from typing import Any

import jax
import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.maml import MAMLConfig
from quickstudy.experiments.methods.own import OwnLearnerConfig
from quickstudy.experiments.methods.ridge import RidgeConfig
from quickstudy.experiments.networks import MLPConfig
from quickstudy.experiments.problem import ExampleProblem, Source
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.settings import Own
from quickstudy.experiments.trainable import demand_trainable, own_parts

CURVES = qs.Sinusoid(shots=3)


class Line(qs.Learner):
    slope: float = 2.0
    returned: type = float

    def adapt(self, support, *, key=None):
        if self.returned is OSError:
            raise OSError("no weights")
        return None if self.returned is type(None) else lambda x: self.slope * x


def line(**settings):
    return Line(loss=qs.squared_error, **settings)


def test_what_is_of_the_user_s_own():
    mine = OwnLearnerConfig(own=Own("line.py:Line", Line))
    assert own_parts((SinusoidCurves(), mine)) == ["line.py:Line"]
    assert own_parts((SinusoidCurves(), MAMLConfig())) == []


@pytest.mark.parametrize(
    ("learner", "said"),
    [
        (line(returned=type(None)), "line.py:Line: adapt returns None; it must return a predictor"),
        (line(returned=OSError), "line.py:Line cannot be trained; OSError: no weights"),
    ],
)
def test_what_cannot_be_trained(learner, said):
    settings = (OwnLearnerConfig(own=Own("line.py:Line", Line)),)
    demand_trainable(line(), [CURVES], settings)
    with pytest.raises(qs.BadInput, match=said):
        demand_trainable(learner, [CURVES], settings)


def test_a_learner_of_the_library_is_tried_too():
    """A support set of three is shorter than a minibatch."""
    reptile = qs.Reptile(qs.MLP(1, (4, 1), key=jax.random.key(0)), batch=50, loss=qs.squared_error)
    with pytest.raises(qs.BadInput, match="minibatches of 50"):
        demand_trainable(reptile, [CURVES], ())


@dataclass(frozen=True)
class Lines(ExampleProblem):
    """One's own, which says of its tasks what it is told to."""

    says: tuple[tuple[str, Any], ...] = ()

    @property
    def inputs(self):
        return dict(self.says).get("inputs", (1,))

    @property
    def outputs(self):
        return dict(self.says).get("outputs", 1)

    @property
    def classification(self):
        return dict(self.says).get("classification", False)

    network = MLPConfig()

    def tasks(self, split, source):
        return dict(self.says).get("tasks", CURVES)


class NoTask:
    def sample(self, key):
        return CURVES.sample(key).support


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ({"inputs": (5,)}, r"inputs is \(5,\), but \(1,\) in its tasks; correct one"),
        ({"inputs": [1]}, r"inputs is \[1\], but \(1,\) in its tasks; correct one"),
        ({"inputs": 5}, r"inputs is 5, but \(1,\) in its tasks; correct one"),
        ({"outputs": 2}, r"outputs is 2, but 1 in its tasks; correct one"),
        ({"classification": True}, "classification is True, but False in its tasks; correct one"),
        ({"tasks": None}, "tasks returns None; it must return a distribution of tasks"),
        ({"tasks": NoTask()}, r"sample returns Examples; it must return a quickstudy.Task"),
    ],
)
@pytest.mark.parametrize("method", [MAMLConfig, RidgeConfig])
def test_a_problem_whose_tasks_are_not_as_it_says_is_refused(method, says, told):
    budget = Budget(steps=1)
    method().training(Lines(), budget, Source())
    with pytest.raises(qs.BadInput, match=told) as error:
        method().training(Lines(tuple(says.items())), budget, Source())
    assert "test_trainable.py:Lines" in str(error.value)
