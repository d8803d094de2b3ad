"""One step of meta-training, and what is validated."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.training.algorithm import update
from quickstudy.training.meta_training import MetaTraining, episode_scores

KEY = jax.random.key(0)
TASKS = qs.Sinusoid(shots=5, queries=5)
LEARNER = qs.MAML(qs.MLP(1, (8, 1), key=KEY), inner_lr=0.01, steps=1, loss=qs.squared_error)


def more_steps(learner):
    return dataclasses.replace(learner, steps=4)


def test_the_learner_is_validated_as_it_is_tested():
    """With more inner steps than in training; what is learned keeps its own number."""
    found = {}
    for name, how in (("as trained", {}), ("as tested", {"for_test": more_steps})):
        algorithm = MetaTraining(LEARNER, TASKS, TASKS, optax.sgd(0.1), 2, 6, **how)
        found[name] = float(algorithm.validate(algorithm.init(), KEY)["squared_error"])
        assert algorithm.learned(algorithm.init()).steps == 1
    wanted = [
        episode_scores(own, TASKS, KEY, 6)[1].mean() for own in (LEARNER, more_steps(LEARNER))
    ]
    assert list(found.values()) == pytest.approx([float(one) for one in wanted])
    assert abs(found["as trained"] - found["as tested"]) > 1e-3


def weights(learner):
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(eqx.filter(learner, eqx.is_array))])


def test_what_is_learned_is_the_moving_average():
    """By hand: Σ_s 0.5^(3−s) θ_s / Σ_s 0.5^(3−s) after three steps, which is validated, too."""
    plain, averaged = (
        MetaTraining(LEARNER, TASKS, TASKS, optax.sgd(0.3), 2, 6, ema=ema) for ema in (0.0, 0.5)
    )
    states, path = [plain.init(), averaged.init()], []
    np.testing.assert_array_equal(weights(averaged.learned(states[1])), weights(LEARNER))
    for step in range(3):
        key = jax.random.fold_in(KEY, step)
        states = [
            jax.jit(lambda own, key, a=algorithm: update(a, own, key, jnp.float32(0))[0])(own, key)
            for algorithm, own in zip((plain, averaged), states, strict=True)
        ]
        path.append(weights(plain.learned(states[0])))
    shares = np.array([0.25, 0.5, 1.0])
    wanted = (shares[:, None] * np.stack(path)).sum(0) / shares.sum()
    found = averaged.learned(states[1])
    np.testing.assert_allclose(weights(found), wanted, rtol=1e-5, atol=1e-7)
    assert np.abs(wanted - path[-1]).max() > 1e-3
    np.testing.assert_array_equal(
        states[1].parameters.model.layers[0].weight, states[0].parameters.model.layers[0].weight
    )
    score = float(averaged.validate(states[1], KEY)["squared_error"])
    assert score == pytest.approx(float(episode_scores(found, TASKS, KEY, 6)[1].mean()))


def test_averages_that_cannot_be():
    for ema in (1.0, -0.1):
        with pytest.raises(qs.BadInput, match=r"ema is .* below 1"):
            qs.MetaPlan(ema=ema)
