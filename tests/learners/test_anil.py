"""ANIL and BOIL: MAML with rates of zero for one half."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from references.one_wave import KEY, RATE, SETTINGS, STEPS, TASK, close, flat, gradient, predictions


def test_anil_is_maml_with_a_body_that_stays():
    model = qs.Headed(qs.MLP(1, (6, 6), key=KEY), qs.Linear.create(6, 1, key=KEY))
    learner = qs.ANIL(model, inner_lr=RATE, steps=STEPS, **SETTINGS)
    adapted = learner.adapt(TASK.support)
    np.testing.assert_array_equal(flat(adapted.body), flat(model.body))

    # By hand: rates of zero on the body.
    rates = jax.tree.map(lambda leaf: jnp.full_like(leaf, RATE), model)
    rates = eqx.tree_at(lambda m: m.body, rates, jax.tree.map(jnp.zeros_like, model.body))
    wanted = qs.MetaSGD(model, rates, steps=STEPS, **SETTINGS)
    close(predictions(learner), predictions(wanted))
    close(flat(gradient(learner).model), flat(gradient(wanted).model))

    boil = qs.BOIL(model, inner_lr=RATE, steps=STEPS, **SETTINGS)
    zeros = jax.tree.map(jnp.zeros_like, model.head)
    rates = jax.tree.map(lambda leaf: jnp.full_like(leaf, RATE), model)
    wanted = qs.MetaSGD(model, eqx.tree_at(lambda m: m.head, rates, zeros), steps=STEPS, **SETTINGS)
    close(predictions(boil), predictions(wanted))
    close(flat(gradient(boil).model), flat(gradient(wanted).model))
