"""Trust regions: the Fisher matrix is the Fisher matrix, and no accepted step leaves the region."""

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.mesh import on_shares
from quickstudy.rl.batch import thoughts
from quickstudy.rl.rl2 import RL2, _in_minibatches
from quickstudy.rl.trpo import TRPO, problem
from quickstudy.rl.trust_region import Linearised, TrustRegion, fisher_product
from quickstudy.testing.comparing import same_bits
from quickstudy.training.algorithm import update

KEY = jax.random.key(0)
TRIAL = qs.Trial(qs.Bandit(arms=2), episodes=3)


def policy():
    made = qs.MetaPolicy.create(TRIAL, qs.GRU.create(TRIAL.inputs, 3, key=KEY))
    return eqx.tree_at(lambda p: p.actor, made, qs.Linear.create(3, 2, key=KEY))


def rl2(**settings):
    return RL2(policy(), TRIAL, TRPO(optax.adam(1e-2), TrustRegion(**settings)), 16, 16)


def on_batch(algorithm, f):
    """f(policy, batch) on this algorithm's own batch, inside the mesh."""
    parameters, rest = eqx.partition(algorithm.policy, eqx.is_inexact_array)

    def share(parameters, paths, real):
        batch = _in_minibatches(algorithm._batch(paths), 1)
        return f(eqx.combine(parameters, rest), jax.tree.map(lambda x: x[0], batch))

    @eqx.filter_jit
    def found():
        return on_shares(share, parameters, algorithm.collect(algorithm.init(), KEY))

    return found()


def test_fisher_product():
    """Against the explicit matrix E[Σ_a π(a) ∇log π(a) ∇log π(a)ᵀ] over all seen steps."""
    algorithm = rl2()
    flat, unflatten = jax.flatten_util.ravel_pytree(
        eqx.filter(algorithm.policy, eqx.is_inexact_array)
    )
    v = jax.random.normal(KEY, flat.shape)

    def by_product(policy, batch):
        parameters = eqx.filter(policy, eqx.is_inexact_array)
        asked = problem(policy, batch)
        here = Linearised.at(parameters, asked.outputs)
        return fisher_product(here, asked.divergence)(unflatten(v))

    def explicit(policy, batch):
        rest = eqx.partition(policy, eqx.is_inexact_array)[1]

        def logs(flat):
            there = eqx.combine(unflatten(flat), rest)
            return jax.nn.log_softmax(thoughts(there, batch).actions.logits)

        rows = jax.jacobian(logs)(flat)  # [parts, time, actions, n]
        weights = jnp.exp(logs(flat))
        matrix = jnp.einsum("pta,ptai,ptaj->ij", weights, rows, rows)
        return jax.lax.psum(matrix, "tasks") / (algorithm.trials * TRIAL.steps)

    found = jax.flatten_util.ravel_pytree(on_batch(algorithm, by_product))[0]
    matrix = on_batch(algorithm, explicit)
    np.testing.assert_allclose(found, matrix @ v, rtol=1e-3, atol=1e-5)
    assert float(jnp.abs(found).max()) > 1e-3


@pytest.mark.parametrize("radius", [1e-3, 1e-1])
def test_accepted_steps_stay_in_the_region(radius):
    algorithm = rl2(radius=radius, damping=1e-3)
    _, metrics = eqx.filter_jit(update)(algorithm, algorithm.init(), KEY, jnp.zeros(()))
    assert float(metrics["accepted"]) == 1.0
    assert 0 < float(metrics["kl"]) <= radius
    assert float(metrics["kl"]) > radius / 20


def test_what_cannot_be_improved_stays(monkeypatch):
    """Where the curvature is negative the policy is kept, and that is said."""

    def hollow(policy, batch):
        usual = problem(policy, batch)
        return usual._replace(divergence=lambda old, now: -usual.divergence(old, now))

    monkeypatch.setattr("quickstudy.rl.trpo.problem", hollow)
    algorithm = rl2(radius=1e-2, damping=1e-6)
    before = algorithm.init()
    after, metrics = eqx.filter_jit(update)(algorithm, before, KEY, jnp.zeros(()))
    assert float(metrics["accepted"]) == 0.0
    assert same_bits(after.parameters.memory, before.parameters.memory)
    assert same_bits(after.parameters.actor, before.parameters.actor)
    assert float(jnp.abs(after.parameters.critic.weight).max()) > 0, (
        "the critic learns all the same"
    )
