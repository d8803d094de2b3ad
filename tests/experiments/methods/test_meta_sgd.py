"""Meta-SGD as settings."""

import jax
import numpy as np

from quickstudy.experiments.methods.meta_sgd import MetaSGDConfig
from quickstudy.learners.meta_sgd import MetaSGD
from references.small_problems import built


def test_all_rates_start_as_asked():
    learner = built(MetaSGDConfig, inner_lr=0.3, inner_steps=4)
    assert type(learner) is MetaSGD
    assert learner.steps == 4
    rates, model = (jax.tree.leaves(part) for part in (learner.rates, learner.model))
    for rate, leaf in zip(rates, model, strict=True):
        np.testing.assert_array_equal(rate, np.full_like(leaf, 0.3))
