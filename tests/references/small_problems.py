"""Problems whose learners are made in a moment, and methods on them."""

from quickstudy.experiments.networks import MLPConfig
from quickstudy.experiments.problem import ExampleProblem
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.tasks.sinusoid import Sinusoid

NETWORK = MLPConfig(width=3, layers=1)
CURVES = SinusoidCurves()


class Points(ExampleProblem):
    """Three classes of points in the plane, to make learners for; it has no data."""

    name = "points"
    inputs, outputs, classification = (2,), 3, True
    network = NETWORK

    def tasks(self, split, source):
        return Sinusoid()


POINTS = Points()


def built(config, problem=CURVES, **settings):
    """The learner of a method with those settings, and a small network."""
    return config(network=NETWORK, **settings).learner(problem, 0)
