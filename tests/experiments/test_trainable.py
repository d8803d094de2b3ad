"""Learners, tried on shapes; those of the user's own by name."""

import jax
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.maml import MAMLConfig
from quickstudy.experiments.methods.own import OwnLearnerConfig
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
