"""MAML's relatives, each held against MAML or against arithmetic of its own."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import quickstudy as qs
from quickstudy.conjugate_gradients import conjugate_gradients
from quickstudy.inner import InnerRule
from quickstudy.learners.maml_plus_plus import step_weights
from quickstudy.nets.norm import running_statistics

KEY = jax.random.key(0)
MODEL = qs.MLP(1, (6, 6, 1), activation=jnp.tanh, key=KEY)
TASK = qs.Sinusoid(shots=6, queries=6, amplitude=(1.0, 1.0)).sample(jax.random.key(1))
SETTINGS = {"loss": qs.squared_error}
RATE, STEPS = 0.1, 3
MAML = qs.MAML(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)


@eqx.filter_jit
def gradient(learner, progress=1.0):
    return learner.meta_gradient(TASK, key=KEY, progress=progress)[0]


def flat(tree):
    return np.asarray(ravel_pytree(eqx.filter(tree, eqx.is_inexact_array))[0])


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())


def predictions(learner):
    return learner.adapt(TASK.support)(TASK.query.x)


def test_first_order_is_the_query_gradient_at_the_end():
    learner = qs.FirstOrderMAML(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    adapted = MAML.adapt(TASK.support)
    wanted = jax.grad(lambda m: qs.squared_error(m(TASK.query.x), TASK.query.y))(adapted)
    close(flat(gradient(learner)), flat(wanted))
    assert np.abs(flat(gradient(learner)) - flat(gradient(MAML))).max() > 1e-3
    close(predictions(learner), predictions(MAML))


def same_as_maml():
    per_step = qs.RatePerStep.like(MODEL, RATE, STEPS)
    plus_plus = qs.MAMLPlusPlus.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    return {
        "plain rule": qs.InnerLoop(MODEL, qs.Rate(RATE), steps=STEPS, **SETTINGS),
        "one learned rate": qs.InnerLoop(MODEL, qs.LearnedRate(RATE), steps=STEPS, **SETTINGS),
        "meta-sgd": qs.MetaSGD.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS),
        "rate per step": qs.InnerLoop(MODEL, per_step, steps=STEPS, **SETTINGS),
        "optax": qs.InnerLoop(MODEL, qs.Optimiser(optax.sgd(RATE)), steps=STEPS, **SETTINGS),
        "maml++ at the end": plus_plus,
    }


@pytest.mark.parametrize("name", same_as_maml())
def test_where_the_rates_are_equal_it_is_maml(name):
    learner = same_as_maml()[name]
    close(flat(gradient(learner).model), flat(gradient(MAML).model))
    path, wanted = (
        jax.lax.map(lambda p: p(TASK.query.x), own.adapt_by_steps(TASK.support, STEPS))
        for own in (learner, MAML)
    )
    close(path, wanted)


def test_more_steps_than_rates():
    learner = same_as_maml()["rate per step"]
    path = learner.adapt_by_steps(TASK.support, STEPS + 2)
    wanted = MAML.adapt_by_steps(TASK.support, STEPS + 2)
    close(flat(path), flat(wanted))


def test_the_gradient_of_a_learned_rate():
    """∂/∂α of the query loss, by a central difference in α."""
    found = float(gradient(same_as_maml()["one learned rate"]).rule.rate)
    below, above = (
        float(dataclasses.replace(MAML, inner_lr=RATE + d).meta_loss(TASK)[0])
        for d in (-1e-3, 1e-3)
    )
    assert found == pytest.approx((above - below) / 2e-3, rel=1e-2)
    per_number = flat(gradient(same_as_maml()["meta-sgd"]).rates)
    assert per_number.sum() == pytest.approx(found, rel=1e-3)


def test_momentum_needs_a_state():
    """Three steps of momentum on a constant gradient: 1, 1.5, 1.75 times the rate."""
    rule = qs.Optimiser(optax.sgd(0.1, momentum=0.5))
    theta, state = jnp.array(0.0), rule.start(jnp.array(0.0))
    for step in range(3):
        theta, state = rule.move(theta, jnp.array(1.0), state, step)
    assert float(theta) == pytest.approx(-0.1 * (1 + 1.5 + 1.75))


class Halved(InnerRule):
    """Another rule, on half the gradient: a user's wrapper."""

    rule: InnerRule

    def start(self, theta):
        return self.rule.start(theta)

    def move(self, theta, gradient, state, step):
        return self.rule.move(theta, jax.tree.map(lambda g: g / 2, gradient), state, step)


def test_adam_needs_a_root_that_is_safe():
    def learner(optimiser, wrap=lambda rule: rule):
        return qs.InnerLoop(MODEL, wrap(qs.Optimiser(optimiser)), **SETTINGS)

    for wrap in (lambda rule: rule, Halved):
        with pytest.raises(qs.BadInput, match=r"no finite slope.*eps_root"):
            learner(optax.adam(1e-3), wrap).check(TASK)
    for safe in (
        learner(optax.adam(1e-3, eps_root=1e-8)),
        learner(optax.adam(1e-3, eps_root=1e-8), Halved),
        learner(optax.adam(1e-3), qs.FirstOrder),
        learner(optax.adam(1e-3), lambda rule: Halved(qs.FirstOrder(rule))),
    ):
        safe.check(TASK)
        assert np.isfinite(flat(gradient(safe))).all()


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


def test_maml_plus_plus_is_first_order_at_first():
    """At progress 0 its gradient is Σ_j 1/k of first-order gradients; at the end it is exact."""
    learner = qs.MAMLPlusPlus.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    each = [
        flat(gradient(qs.FirstOrderMAML(MODEL, inner_lr=RATE, steps=k, **SETTINGS)).model)
        for k in range(1, STEPS + 1)
    ]
    close(flat(gradient(learner, 0.0).model), np.mean(each, 0))
    close(flat(gradient(learner, 0.29).model), each[-1])
    close(flat(gradient(learner, 0.31).model), flat(gradient(MAML).model))


def test_maml_plus_plus_has_norms_for_every_step():
    body = qs.Conv4((4, 4, 1), filters=2, downsample="stride", key=KEY)
    model = qs.Headed(body, qs.Linear.create(2, 2, key=KEY))
    learner = qs.MAMLPlusPlus.create(model, inner_lr=RATE, steps=2)
    x, y = jax.random.normal(KEY, (4, 4, 4, 1)), jnp.arange(4) % 2
    task = qs.Task(qs.Examples(x, y, 2), qs.Examples(x[::-1], y, 2))
    found = eqx.filter_jit(lambda own, p: own.meta_gradient(task, progress=p)[0])(learner, 0.5)
    scales = [np.abs(block.norm.scale).max(1) for block in found.norms.body.blocks]
    assert all((scale > 0).all() for scale in scales), "every step has its own, and learns it"
    assert scales[0].shape == (3,)
    assert not np.any(flat([block.norm for block in found.model.body.blocks]))
    assert found.rates.body.blocks[0].norm.scale is None, "the inner loop leaves norms alone"


def test_the_weights_of_the_steps():
    halfway = step_weights(4, 0.05, 0.1)
    np.testing.assert_allclose(halfway, [0.125, 0.125, 0.125, 0.625], rtol=1e-6)
    assert float(jnp.sum(step_weights(5, 0.033, 0.1))) == pytest.approx(1)


@pytest.mark.parametrize("progress", [0.0, 0.5])
def test_without_a_multi_step_loss_the_last_step_counts_alone(progress):
    settings = {"inner_lr": RATE, "steps": STEPS, "first_order": 0.0, **SETTINGS}
    learner = qs.MAMLPlusPlus.create(MODEL, multi_step=0.0, **settings)
    assert step_weights(3, progress, 0.0).tolist() == [0, 0, 1]
    close(flat(gradient(learner, progress).model), flat(gradient(MAML).model))


def test_conjugate_gradients_solve_and_stay():
    a = jax.random.normal(KEY, (5, 5))
    a = a @ a.T + jnp.eye(5)
    b = jnp.arange(5.0)
    for steps in (5, 12):
        close(conjugate_gradients(lambda v: a @ v, b, steps).x, jnp.linalg.solve(a, b))
    assert not np.any(conjugate_gradients(lambda v: a @ v, jnp.zeros(5), 3).x)


def test_implicit_gradient_is_exact_once_converged():
    """Against (I + H/λ)⁻¹ ∇L^ts(φ) from the explicit Hessian, and against the slope of the loss."""
    with jax.enable_x64(True):
        model, task = jax.tree.map(lambda x: jnp.asarray(np.asarray(x, np.float64)), (MODEL, TASK))
        learner = qs.ImplicitMAML(
            model, inner_lr=0.1, steps=400, penalty=1.5, cg_steps=60, **SETTINGS
        )
        theta, unravel = ravel_pytree(model)

        @jax.jit
        def measure(theta):
            own = dataclasses.replace(learner, model=unravel(theta))
            phi = ravel_pytree(own.adapt(task.support))[0]
            found = ravel_pytree(own.meta_gradient(task)[0].model)[0]
            return phi, found, own.meta_loss(task)[0]

        def loss(phi, data):
            return qs.squared_error(unravel(phi)(data.x), data.y)

        phi, found, _ = measure(theta)
        residual = jax.grad(loss)(phi, task.support) + 1.5 * (phi - theta)
        assert np.abs(residual).max() < 1e-9, "the inner loop has converged"
        hessian = jax.hessian(loss)(phi, task.support)
        slope = jax.grad(loss)(phi, task.query)
        exact = np.linalg.solve(np.eye(len(phi)) + np.asarray(hessian) / 1.5, np.asarray(slope))
        np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-9)
        # A wrong penalty, a missing inverse and a Hessian of the query loss are all seen.
        for wrong in (
            np.linalg.solve(np.eye(len(phi)) + np.asarray(hessian) / 1.53, np.asarray(slope)),
            np.asarray(slope),
        ):
            assert np.abs(found - wrong).max() > 1e-4
        u = np.random.default_rng(0).normal(size=len(theta))
        u /= np.linalg.norm(u)
        ends = [float(measure(theta + h * u)[2]) for h in (1e-5, -1e-5)]
        assert float(found @ u) == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-7)


def test_reptile_moves_towards_what_fine_tuning_finds():
    """A batch as large as the task, plain descent: φ by hand on everything."""
    learner = qs.Reptile(MODEL, optax.sgd(RATE), steps=2, batch=12, **SETTINGS)
    everything = [
        jnp.concatenate([getattr(s, n) for s in (TASK.support, TASK.query)]) for n in "xy"
    ]
    phi = MODEL
    for _ in range(2):
        slope = jax.grad(lambda m: qs.squared_error(m(everything[0]), everything[1]))(phi)
        phi = jax.tree.map(lambda p, g: p - RATE * g, phi, slope)
    wanted = flat(MODEL) - flat(phi)
    close(flat(gradient(learner)), wanted)


def test_the_authors_form_of_implicit_maml():
    """By hand: plain steps, one pull back, ((1 + δ) I + H/(λ + 10))⁻¹ ∇L^ts(φ) at its end, and no
    pull back where it is used."""
    with jax.enable_x64(True):
        model, task = jax.tree.map(lambda x: jnp.asarray(np.asarray(x, np.float64)), (MODEL, TASK))
        learner = qs.ImplicitMAML(
            model, inner_lr=0.1, steps=4, penalty=2.0, cg_steps=80, form=qs.PullBackForm(0.5),
            **SETTINGS,
        )  # fmt: skip
        theta, unravel = ravel_pytree(model)

        def loss(phi, data):
            return qs.squared_error(unravel(phi)(data.x), data.y)

        phi = theta
        for _ in range(4):
            phi = phi - 0.1 * jax.grad(loss)(phi, task.support)
        used = ravel_pytree(learner.adapt(task.support))[0]
        np.testing.assert_allclose(used, phi, rtol=1e-9, atol=1e-12)
        phi = phi - 0.1 * 2.0 * (phi - theta)
        hessian, slope = jax.hessian(loss)(phi, task.support), jax.grad(loss)(phi, task.query)
        wanted = np.linalg.solve(1.5 * np.eye(len(phi)) + np.asarray(hessian) / 12, slope)
        found = ravel_pytree(learner.meta_gradient(task)[0].model)[0]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def drawn(learner, examples, key=KEY):
    """The examples of each minibatch, by their number, of real ones alone."""
    batches = learner._batches(examples, key)
    np.testing.assert_array_equal(batches.y, 2 * batches.x)
    real = np.ones(batches.x.shape[:2], bool) if batches.real is None else batches.real
    return [x[own].tolist() for x, own in zip(np.asarray(batches.x)[..., 0], real, strict=True)]


def joined(batches):
    return [one for batch in batches for one in batch]


def numbered(n):
    return qs.Examples(jnp.arange(float(n))[:, None], 2 * jnp.arange(float(n))[:, None])


def test_reptile_goes_through_all_examples_without_replacement():
    """Five minibatches of 4 see each of 20 examples once, and the next five again, in another
    order."""
    learner = qs.Reptile(MODEL, steps=10, batch=4, **SETTINGS)
    found = drawn(learner, numbered(20))
    first, second = joined(found[:5]), joined(found[5:])
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != sorted(second)
    assert first != joined(drawn(learner, numbered(20), jax.random.key(1))[:5])
    # A minibatch may end one order and begin the next.
    over = joined(drawn(qs.Reptile(MODEL, steps=5, batch=5, **SETTINGS), numbered(8)))
    assert sorted(over[:8]) == sorted(over[8:16]) == list(range(8))
    assert len(set(over[16:24])) == 8


def test_reptile_goes_through_what_is_real():
    examples = dataclasses.replace(numbered(9), real=jnp.arange(9) % 3 > 0)  # six of nine
    found = drawn(qs.Reptile(MODEL, steps=4, batch=3, **SETTINGS), examples)
    for epoch in (found[:2], found[2:]):
        assert sorted(joined(epoch)) == [1, 2, 4, 5, 7, 8]
    for batch in drawn(qs.Reptile(MODEL, steps=4, batch=9, **SETTINGS), examples):
        assert sorted(batch) == [1, 2, 4, 5, 7, 8]


def test_reptile_refuses_minibatches_larger_than_a_task():
    with pytest.raises(qs.BadInput, match=r"minibatches of 50 and a task has 12"):
        qs.Reptile(MODEL, batch=50, **SETTINGS).check(TASK)


def conv(norm):
    return qs.Headed(
        qs.Conv4((8, 8, 1), filters=4, norm=norm, downsample="stride", readout="mean", key=KEY),
        qs.Linear.create(4, 2, key=KEY),
    )


def images(key):
    x = jax.random.normal(key, (4, 8, 8, 1))
    return qs.Examples(x, jnp.array([0, 1, 0, 1]), 2)


PICTURES = qs.Task(images(jax.random.key(2)), images(jax.random.key(3)))


def running(**settings):
    return qs.MAMLPlusPlus.create(
        conv("running"), inner_lr=0.5, steps=2, first_order=0.0, **settings
    )


@eqx.filter_jit
def compiled_gradient(learner):
    return learner.meta_gradient(PICTURES)


def test_running_statistics_move_towards_those_of_every_step():
    """By hand for the first layer, whose inputs no statistics have changed."""
    learner = running()
    found = running_statistics(compiled_gradient(learner)[0].norms)[:2]
    batch = qs.MAMLPlusPlus.create(conv("batch"), inner_lr=0.5, steps=2, first_order=0.0)
    path = batch.adapt_by_steps(PICTURES.support, 2)
    assert len(found[0]) == 3
    for step in range(3):
        block = jax.tree.map(lambda leaf, j=step: leaf[j], path.body.blocks[0])
        seen = block.convolve(PICTURES.support.x)
        close(found[0][step], 0 - np.mean(seen, (0, 1, 2)))
        close(found[1][step], 1 - np.var(seen, (0, 1, 2)))
    assert np.abs(found[0][2] - found[0][0]).max() > 1e-3, "the steps must differ"


def test_meta_training_with_running_statistics_uses_the_batches_own():
    """All else that is learned gets the meta-gradient of the norm `batch`."""
    batch = qs.MAMLPlusPlus.create(conv("batch"), inner_lr=0.5, steps=2, first_order=0.0)
    (found, metrics), (wanted, other) = compiled_gradient(running()), compiled_gradient(batch)
    close(metrics["loss"], other["loss"])
    close(flat(found.model.body.blocks[0].kernel), flat(wanted.model.body.blocks[0].kernel))
    close(flat(found.rates), flat(wanted.rates))
    close(found.norms.body.blocks[1].norm.scale, wanted.norms.body.blocks[1].norm.scale)


def test_running_statistics_normalise_afterwards():
    learner = running()
    moved = eqx.tree_at(
        lambda own: running_statistics(own.norms)[0], learner, replace_fn=lambda mean: mean + 1
    )
    queries = PICTURES.query.x
    for own in (learner, moved):
        adapted = own.adapt(PICTURES.support)
        close(adapted(queries)[:1], adapted(queries[:1]))
    assert not learner.transductive
    found, other = (own.adapt(PICTURES.support)(queries) for own in (learner, moved))
    assert np.abs(found - other).max() > 1e-3


def test_learners_that_do_not_keep_statistics_refuse_the_norm():
    running().check(PICTURES)
    for learner in (qs.MAML(conv("running")), qs.Prototypical(conv("running"))):
        with pytest.raises(qs.BadInput, match=r"does not keep the averages.*another norm"):
            learner.check(PICTURES)
