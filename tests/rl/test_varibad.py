"""VariBAD: the bound by hand, what each loss moves, the same on any devices, and better after."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.rl.decoder import transitions
from quickstudy.rl.distributions import Gaussian
from quickstudy.rl.rl2 import RL2, trial_episodes
from quickstudy.rl.varibad import ModelBatch, VariBAD, divergences, fitted_log_prob
from references import pulls
from references.small_rl2 import close, updated
from references.small_rl2 import rl2 as small_rl2
from references.small_varibad import KEY, varibad

BANDIT = qs.Trial(qs.Bandit(arms=3), episodes=4)
TWO = qs.Trial(qs.Bandit(arms=3), episodes=2)


@eqx.filter_jit
def told(algorithm):
    """What the model learns from, of the first step's trials."""
    batch = algorithm.collect(algorithm.init(), KEY)
    (paths, keys), real = batch.rows, batch.real
    steps = jax.vmap(transitions, (0, None))(paths, algorithm.rl2.trial)
    xs = jax.vmap(jax.vmap(type(paths.seen).flat))(paths.seen)
    return ModelBatch(xs, steps._replace(real=steps.real & real[:, None]), keys)


def bounds(algorithm, given, decoders=None):
    """On one device."""
    model = algorithm.model
    if decoders is not None:
        model = eqx.tree_at(lambda m: m.decoders, model, decoders)
    one = jax.tree.map(lambda x: x[None], given)
    run = jax.vmap(lambda given: algorithm.bounds(model, given), axis_name="tasks")
    likely, divergence, errors = eqx.filter_jit(run)(one)
    return float(likely[0]), float(divergence[0]), {k: float(v[0]) for k, v in errors.items()}


def blind(decoder):
    """The same without m, of which f is 1 everywhere."""
    first, second = decoder.network.of_task.layers
    where = lambda d: [layer.weight for layer in d.network.of_task.layers]  # noqa: E731
    zeros = [jnp.zeros_like(first.weight), jnp.zeros_like(second.weight)]
    decoder = eqx.tree_at(where, decoder, zeros)
    ones = jnp.ones_like(second.bias)
    return eqx.tree_at(lambda d: d.network.of_task.layers[1].bias, decoder, ones)


def test_divergences_by_the_formula():
    """½ Σ (log σ₀²/σ₁² − 1 + σ₁²/σ₀² + (μ₁ − μ₀)²/σ₀²), the first from N(0, I)."""
    rng = np.random.default_rng(0)
    mean, log_std = rng.normal(size=(2, 4, 3))
    mean0 = np.concatenate([np.zeros((1, 3)), mean[:-1]])
    v1, v0 = np.exp(2 * log_std), np.exp(2 * np.concatenate([np.zeros((1, 3)), log_std[:-1]]))
    wanted = 0.5 * np.sum(np.log(v0 / v1) - 1 + v1 / v0 + (mean - mean0) ** 2 / v0, -1)
    found = divergences(Gaussian(jnp.asarray(mean), jnp.asarray(log_std)))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_the_bound_of_two_steps_by_hand():
    """Every belief decodes both rewards. Of predictions that do not depend on m, errors e of
    variance σ² = mean e have Σ −½ (e / σ² + log 2πσ²) = −½ n (1 + log 2πσ²)."""
    algorithm = varibad(TWO, trials=4, minibatches=1)
    given = jax.tree.map(lambda x: x[:3], told(algorithm))
    real = given.steps.real.at[2].set(False)  # padding
    given = given._replace(steps=given.steps._replace(real=real))
    decoder = blind(algorithm.decoders[0])
    likely, divergence, errors = bounds(algorithm, given, (decoder,))
    two = jax.tree.map(lambda x: x[:2], given.steps)
    read = jax.vmap(lambda one: decoder.network(jnp.zeros((1, 2)), decoder.reads(one)))(two)
    e = np.square(read[:, 0, :, 0] - two.reward)
    variance = float(np.mean(e))
    terms = 2 * e.size  # two beliefs
    np.testing.assert_allclose(likely, -0.5 * terms * (1 + np.log(2 * np.pi * variance)), rtol=1e-4)
    np.testing.assert_allclose(errors["reward_error"], 4 * variance, rtol=1e-4)
    q = [algorithm.model.belief.posteriors(given.xs[n]) for n in range(2)]
    # The first of two beliefs is the prior itself.
    wanted = sum(
        0.5 * np.sum(np.exp(2 * s) + m**2 - 1 - 2 * s)
        for m, s in ((np.asarray(one.mean[1]), np.asarray(one.log_std[1])) for one in q)
    )
    np.testing.assert_allclose(divergence, wanted, rtol=1e-4)
    assert divergence > 1e-3


def test_some_beliefs_stand_for_all():
    """Where m says nothing, one of two decoded counts twice."""
    algorithm = varibad(TWO, trials=4, minibatches=1)
    given, decoders = told(algorithm), (blind(algorithm.decoders[0]),)
    some = varibad(TWO, trials=4, minibatches=1, posteriors=1)
    close(bounds(some, given, decoders), bounds(algorithm, given, decoders))
    more = varibad(TWO, trials=4, minibatches=1, posteriors=9)
    close(bounds(more, given, decoders), bounds(algorithm, given, decoders))


def test_m_is_drawn_from_the_belief():
    """Which of two is decoded, and with which mean and deviation."""
    algorithm = varibad(TWO, posteriors=1)
    q = Gaussian(jnp.array([[5.0], [-5.0]]), jnp.log(jnp.array([[0.5], [2.0]])))
    draw = jax.vmap(lambda key: algorithm._sampled(q, jnp.array([True, False]), key))
    m, real = draw(jax.random.split(KEY, 4000))
    m, real = np.asarray(m[:, 0, 0]), np.asarray(real[:, 0])
    assert abs(real.mean() - 0.5) < 0.05
    for which, mean, deviation in ((real, 5, 0.5), (~real, -5, 2)):
        assert abs(m[which].mean() - mean) < 0.15
        assert abs(m[which].std() - deviation) < 0.15


def test_the_fitted_variance_is_the_likeliest():
    """No other has more; and its slope is that at a fixed variance."""
    errors, real = jnp.array([[1.0], [3.0], [9.0]]), jnp.array([True, True, False])

    def fitted(errors):
        one = jax.vmap(fitted_log_prob, axis_name="tasks")(errors[None], real[None])
        return jnp.sum(one[0]), one[1][0]

    def at(variance):
        return float(
            np.sum(-0.5 * (np.array([1.0, 3.0]) / variance + np.log(2 * np.pi * variance)))
        )

    (found, mean), slope = jax.value_and_grad(fitted, has_aux=True)(errors)
    assert mean == 2
    np.testing.assert_allclose(found, at(2.0), rtol=1e-6)
    assert found > max(at(1.9), at(2.1))
    np.testing.assert_allclose(slope[:, 0], [-0.25, -0.25, 0.0])


def test_each_loss_moves_its_own():
    """With the other's rate at zero; both move together otherwise."""
    start = varibad(BANDIT).init()
    still, moving = varibad(BANDIT, learning=0.0), varibad(BANDIT, acting=0.0)
    policy, model = (updated(one)[0] for one in (still, moving))
    close(policy.model, start.model, 0)
    close(model.acting.parameters, start.acting.parameters, 0)
    both = updated(varibad(BANDIT))[0]
    close(both.acting.parameters, policy.acting.parameters)
    close(both.model, model.model)
    for before, after in (
        (start.model, both.model),
        (start.acting.parameters, both.acting.parameters),
    ):
        assert float(optax.tree.norm(optax.tree.sub(after, before))) > 1e-4


def test_actor_and_critic_are_improved_as_those_of_rl2():
    """RL² of the whole policy, on the same trials: through the encoder comes no gradient."""
    algorithm = varibad(BANDIT)
    state = algorithm.init()
    batch = eqx.filter_jit(algorithm.collect)(state, KEY)
    found = eqx.filter_jit(algorithm.improve)(state, batch, jnp.zeros(()))[0]
    rl2 = algorithm.rl2
    paths = batch._replace(rows=batch.rows[0])
    wanted = eqx.filter_jit(rl2.improve)(rl2.init(), paths, jnp.zeros(()))[0].parameters
    heads = algorithm.learned(found)
    close((heads.actor, heads.critic), (wanted.actor, wanted.critic))
    close(wanted.memory, eqx.filter(rl2.policy.memory, eqx.is_inexact_array), 0)


@pytest.mark.parametrize("trials", [12, 8])
def test_devices_change_nothing(trials, one_device):
    """8 trials do not share out evenly: 9 are drawn on one device and 12 on two."""
    algorithm = varibad(BANDIT, trials=trials, posteriors=2, epochs=2)
    two = updated(algorithm)
    one_device()
    close(updated(algorithm), two, 5e-5)


def test_what_is_learned_acts_as_it_was_trained():
    """The policy of a state is its heads and its belief, and validation scores that policy."""
    algorithm = varibad(BANDIT)
    state = updated(algorithm)[0]
    learned = algorithm.learned(state)
    close(eqx.filter(learned.memory, eqx.is_inexact_array), state.model.belief)
    found = eqx.filter_jit(algorithm.validate)(state, KEY)["score"]
    acted = eqx.filter_jit(trial_episodes)(learned, BANDIT, KEY, 16)
    np.testing.assert_allclose(found, jnp.mean(jnp.sum(acted.returns, -1)), rtol=1e-6)


def test_continuous_actions():
    trial = qs.Trial(qs.Navigation(horizon=5), episodes=2)
    state, metrics = updated(varibad(trial))
    assert np.isfinite(list(map(float, metrics.values()))).all()
    assert np.abs(state.acting.parameters.log_std - -0.5).max() > 1e-6


def test_on_the_host():
    host = HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, 12, horizon=1)
    algorithm = varibad(qs.Trial(HostFamily(host), 4))
    assert algorithm.host is host
    state = algorithm.init()
    batch = algorithm.collect(state, KEY)
    after, metrics = eqx.filter_jit(algorithm.improve)(state, batch, jnp.zeros(()))
    assert np.isfinite(list(map(float, metrics.values()))).all()
    assert float(optax.tree.norm(optax.tree.sub(after.model, state.model))) > 1e-4


def test_learns():
    """Three arms, four pulls: a belief that predicts what arms pay, and more than chance (2.0)."""
    algorithm = varibad(BANDIT, trials=256)
    adam = qs.PPO(optax.adam(1e-2), epochs=4, minibatches=4)
    rl2 = eqx.tree_at(lambda r: r.improvement, algorithm.rl2, adam)
    algorithm = VariBAD(rl2, algorithm.decoders, optax.adam(1e-2), epochs=2)
    found = qs.fit(algorithm, qs.Plan(40, validate_every=40), key=KEY)
    returns = qs.evaluate_policy(found.best, BANDIT, trials=2000, key=jax.random.key(1))
    assert returns.policy.total.mean > 2.0 + 0.15


def test_what_cannot_be():
    rl2 = small_rl2(qs.PPO(optax.sgd(0.1)))
    decoders = varibad(BANDIT).decoders
    with pytest.raises(qs.BadInput, match="remembers by a GRU"):
        VariBAD(rl2, decoders, optax.sgd(0.1))
    own = varibad(BANDIT).rl2
    with pytest.raises(qs.BadInput, match="decoders is 0"):
        VariBAD(own, (), optax.sgd(0.1))
    parts = RL2(own.policy, BANDIT, own.improvement, 12, 16, parts=2)
    with pytest.raises(qs.BadInput, match="parts=1"):
        VariBAD(parts, decoders, optax.sgd(0.1))
