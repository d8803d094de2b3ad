"""Ridge regression as settings: features, and a head in closed form."""

import jax.numpy as jnp

from quickstudy.experiments.methods.ridge import RidgeConfig
from quickstudy.learners.losses import cross_entropy, squared_error
from quickstudy.learners.ridge import RidgeRegression
from references.small_problems import POINTS, built


def test_the_body_has_no_head_of_its_own():
    for problem, loss in ((None, squared_error), (POINTS, cross_entropy)):
        learner = built(RidgeConfig, problem) if problem else built(RidgeConfig)
        assert type(learner) is RidgeRegression
        assert learner.loss is loss
        inputs = 2 if problem else 1
        assert learner.embed(jnp.ones((4, inputs))).shape == (4, 3)
