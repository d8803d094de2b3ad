"""First-order MAML against the gradient at the end of MAML's own way."""

import jax
import numpy as np

import quickstudy as qs
from references.one_wave import (
    MAML,
    MODEL,
    RATE,
    SETTINGS,
    STEPS,
    TASK,
    close,
    flat,
    gradient,
    predictions,
)


def test_first_order_is_the_query_gradient_at_the_end():
    learner = qs.FirstOrderMAML(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    adapted = MAML.adapt(TASK.support)
    wanted = jax.grad(lambda m: qs.squared_error(m(TASK.query.x), TASK.query.y))(adapted)
    close(flat(gradient(learner)), flat(wanted))
    assert np.abs(flat(gradient(learner)) - flat(gradient(MAML))).max() > 1e-3
    close(predictions(learner), predictions(MAML))
