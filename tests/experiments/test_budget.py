"""How long: what cannot be, and an optimiser whose rate ends at zero."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget


def updates(optimiser, gradient, count):
    state, found = optimiser.init(jnp.zeros(2)), []
    for _ in range(count):
        update, state = optimiser.update(jnp.asarray(gradient), state, jnp.zeros(2))
        found.append(np.asarray(update))
    return np.stack(found)


@pytest.mark.parametrize("each", [1, 3])
def test_the_rate_falls_to_zero_with_the_last_update_of_all(each):
    """On a cosine: β at first, β/2 halfway, 0 behind the last. Adam's steps are the rate."""
    budget = Budget(steps=4, learning_rate=0.5)
    found = -updates(budget.adam(each=each), [1.0, 1.0], 4 * each + 1)[:, 0]
    np.testing.assert_allclose(found[[0, 2 * each]], [0.5, 0.25], rtol=1e-3)
    assert found[-1] == 0
    assert (np.diff(found) < 0).all()


def test_a_long_gradient_is_shortened():
    """To the norm of `clip`: of (30, 40) and its tenth Adam sees the same."""
    long, short = (
        updates(Budget(clip=5.0).adam(), gradient, 1) for gradient in ([30.0, 40.0], [3.0, 4.0])
    )
    np.testing.assert_allclose(long, short, rtol=1e-5)
    small, smaller = (updates(Budget(clip=5.0).adam(), [g, 1e-6], 1)[0] for g in (3.0, 1e-6))
    assert abs(small[1]) == pytest.approx(abs(smaller[1]), rel=1e-3), "what is short stays"


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"clip": 0.0}, "clip is 0.0"), ({"steps": -1}, "steps is -1"), ({"seed": -1}, "seed is -1")],
)
def test_what_cannot_be(settings, said):
    with pytest.raises(qs.BadInput, match=said):
        Budget(**settings)


PARAMETERS = {"kernel": jnp.full((2, 2), 4.0), "bias": jnp.full(2, 4.0)}
GRADIENT = {"kernel": jnp.full((2, 2), 0.5), "bias": jnp.full(2, 0.5)}


def updates_of(optimiser, count=1):
    """Those of the last of so many steps with the same gradient and parameters."""
    state, found = optimiser.init(PARAMETERS), None
    for _ in range(count):
        found, state = optimiser.update(GRADIENT, state, PARAMETERS)
    return {name: np.asarray(one) for name, one in found.items()}


def test_weight_decay_takes_from_matrices_alone():
    """Rate times decay times the weight, beside Adam's step."""
    plain, decayed = (
        updates_of(qs.Budget(learning_rate=0.01, weight_decay=decay).adam()) for decay in (0.0, 0.1)
    )
    np.testing.assert_allclose(decayed["kernel"], plain["kernel"] - 0.01 * 0.1 * 4, rtol=1e-5)
    np.testing.assert_allclose(decayed["bias"], plain["bias"])


@pytest.mark.parametrize("learner", [qs.MAMLPlusPlus, qs.MetaSGD])
def test_learned_rates_and_the_scales_of_steps_do_not_decay(learner):
    """Rates have the shapes of weights, and scales for each step have two axes."""
    body = qs.Conv4((16, 16, 1), filters=4, key=jax.random.key(0))
    network = qs.Headed(body, qs.Linear.create(4, 2, key=jax.random.key(1)))
    parameters = eqx.filter(learner.create(network), eqx.is_inexact_array)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    optimiser = qs.Budget(learning_rate=0.01, weight_decay=0.1).adam()
    moved, _ = optimiser.update(zeros, optimiser.init(parameters), parameters)
    left = {
        jax.tree_util.keystr(path)
        for path, one in jax.tree_util.tree_leaves_with_path(moved)
        if np.abs(one).max() > 0
    }
    kernels = {f".model.body.blocks[{n}].kernel" for n in range(4)}
    assert left == {*kernels, ".model.head.weight"}


def test_the_rate_rises_and_falls():
    rate = qs.Budget(steps=10, warm_up=4, learning_rate=0.5).rate()
    found = [float(rate(step)) for step in (0, 1, 2, 4, 7, 10)]
    np.testing.assert_allclose(found, [0, 0.125, 0.25, 0.5, 0.25, 0], atol=1e-7)
    assert float(qs.Budget(steps=10, learning_rate=0.5).rate()(0)) == 0.5
    # In updates_of, where each is of two steps, or a step of three.
    assert float(qs.Budget(steps=10, warm_up=4, accumulate=2).rate()(2)) == pytest.approx(1e-3)
    assert float(qs.Budget(steps=10, warm_up=4).rate(3)(12)) == pytest.approx(1e-3)
    assert float(qs.Budget(steps=10, accumulate=2).rate()(5)) == pytest.approx(0, abs=1e-9)


def test_gradients_are_averaged_before_an_update():
    budget = qs.Budget(steps=6, accumulate=3)
    gather = budget.accumulated(optax.sgd(1.0))
    state, found = gather.init(PARAMETERS), []
    for size in (1.0, 2.0, 6.0):
        gradient = {name: size * jnp.ones_like(one) for name, one in PARAMETERS.items()}
        moved, state = gather.update(gradient, state, PARAMETERS)
        found.append(float(moved["bias"][0]))
    assert found == pytest.approx([0, 0, -3])
    plain = optax.sgd(1.0)
    assert qs.Budget().accumulated(plain) is plain


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ema": 1.0}, "ema is 1.0; give a number from 0 to below 1"),
        ({"steps": 5, "warm_up": 5}, "warm_up is 5 of 5 steps"),
        ({"steps": 5, "accumulate": 6}, "accumulate is 6 and there are 5 steps"),
        ({"steps": 9, "accumulate": 4}, "9 steps: the last 1 would never reach the weights"),
        ({"steps": 8, "warm_up": 3, "accumulate": 4}, "warm_up is 3 and accumulate 4"),
        ({"accumulate": 0}, "accumulate is 0; give a whole number"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
    ],
)
def test_settings_that_cannot_be(settings, said):
    with pytest.raises(qs.BadInput, match=said):
        qs.Budget(**settings)
