"""Implicit MAML as settings."""

from quickstudy.experiments.methods.imaml import ImplicitMAMLConfig
from quickstudy.learners.imaml import ImplicitMAML
from quickstudy.learners.losses import cross_entropy, squared_error
from references.small_problems import POINTS, built


def test_settings_reach_the_learner():
    learner = built(ImplicitMAMLConfig, inner_lr=0.3, inner_steps=4, penalty=1.5, cg_steps=6)
    assert type(learner) is ImplicitMAML
    found = learner.inner_lr, learner.steps, learner.penalty, learner.cg_steps
    assert found == (0.3, 4, 1.5, 6)
    assert learner.loss is squared_error
    assert built(ImplicitMAMLConfig, POINTS).loss is cross_entropy
