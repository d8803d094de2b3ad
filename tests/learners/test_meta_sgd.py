"""Meta-SGD: what its rates learn."""

import dataclasses

import pytest

import quickstudy as qs
from references.one_wave import MAML, MODEL, RATE, SETTINGS, STEPS, TASK, flat, gradient


def test_the_gradient_of_a_learned_rate():
    """∂/∂α of the query loss, by a central difference in α."""
    learner = qs.InnerLoop(MODEL, qs.LearnedRate(RATE), steps=STEPS, **SETTINGS)
    found = float(gradient(learner).rule.rate)
    below, above = (
        float(dataclasses.replace(MAML, inner_lr=RATE + d).meta_loss(TASK)[0])
        for d in (-1e-3, 1e-3)
    )
    assert found == pytest.approx((above - below) / 2e-3, rel=1e-2)
    learner = qs.MetaSGD.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    per_number = flat(gradient(learner).rates)
    assert per_number.sum() == pytest.approx(found, rel=1e-3)
