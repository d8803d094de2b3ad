"""Keeping an inner step and recomputing it: one function, two prices."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.learners import recomputing
from quickstudy.learners.descent import descent
from quickstudy.learners.recomputing import products, recomputed
from quickstudy.nets.conv import conv2d

KEYS = jax.random.split(jax.random.key(0), 4)
STEPS = 3


def network(norm="batch"):
    body = qs.Conv4((8, 8, 1), filters=3, norm=norm, downsample="stride", key=KEYS[0])
    return qs.Headed(body, qs.Linear.create(3, 2, key=KEYS[1]))


def examples(key, n=4):
    return qs.Examples(jax.random.normal(key, (n, 8, 8, 1)), jnp.arange(n) % 2, 2)


TASK = qs.Task(examples(KEYS[2]), examples(KEYS[3]))


def is_kept(learner, support):
    """Whether the inner loop's steps are kept: nothing in its program asks for recomputing."""

    def loss(model):
        end, _ = descent(model, support, learner.loss, rule=learner.inner_rule(), steps=STEPS)
        return jnp.sum(end(support.x))

    program = str(eqx.filter_make_jaxpr(loss)(learner.model)[0])
    return "prevent_cse" not in program


def conv4(downsample, ways):
    body = qs.Conv4((28, 28, 1), norm="batch", downsample=downsample, key=KEYS[0])
    model = qs.Headed(body, qs.Linear.create(body.features, ways, key=KEYS[1]))
    return qs.MAML(model), qs.Examples(jnp.zeros((ways, 28, 28, 1)), jnp.arange(ways), ways)


def test_products_by_hand():
    x, y, kernel = jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4)), jnp.ones((3, 3, 2, 7))
    assert products(jnp.matmul, x, y) == (5 * 2 * 4 * 2 * 3, 4 * 5 * 2 * 4)
    assert products(conv2d, jnp.ones((2, 5, 4, 2)), kernel) == (
        2 * (2 * 5 * 4 * 7) * (3 * 3 * 2),
        4 * (2 * 5 * 4 * 7),
    )
    once, four = (products(lambda x, n=n: repeated(x, n), jnp.ones((3, 3))) for n in (1, 4))
    assert four == tuple(4 * each for each in once) == (4 * 54, 4 * 36)
    assert products(jnp.sin, x) == (0, 0)


def repeated(x, times):
    return jax.lax.scan(lambda now, _: (jax.jit(jnp.matmul)(now, x), None), x, length=times)[0]


@pytest.mark.parametrize(("downsample", "ways", "kept"), [("pool", 5, True), ("stride", 20, False)])
def test_the_rule_chooses_what_was_measured(downsample, ways, kept):
    assert is_kept(*conv4(downsample, ways)) == kept


def test_what_is_much_in_all_is_recomputed(monkeypatch):
    monkeypatch.setattr(recomputing, "PRODUCT_BYTES", 2**20)
    assert not is_kept(*conv4("pool", 5))


def test_a_single_step_is_kept():
    def step(carry, now):
        return carry, now

    assert recomputed(step, jnp.ones(3), None, 1) is step
    assert recomputed(step, jnp.ones(3), None, 2) is not step


def both(monkeypatch, f):
    """f() with all steps recomputed, then with all steps kept."""
    monkeypatch.setattr(recomputing, "OPERATIONS_PER_BYTE", 1e9)
    found = [f()]
    monkeypatch.setattr(recomputing, "OPERATIONS_PER_BYTE", 0)
    return [*found, f()]


def close(pair):
    first, second = (np.concatenate([np.ravel(x) for x in jax.tree.leaves(part)]) for part in pair)
    assert np.linalg.norm(first) > 1e-3
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-11 * np.abs(first).max())


def compiled(f, *arguments):
    return jax.jit(lambda: f(*arguments))()


def objective(model, x, rate, norm_steps=STEPS):
    """The query loss after steps on a support set that may depend on anything."""
    support = qs.Examples(x, jnp.arange(4) % 2, 2)
    rule = qs.LearnedRate(rate)
    end, _ = descent(model, support, qs.cross_entropy, rule=rule, steps=norm_steps)
    return qs.cross_entropy(end(examples(KEYS[3]).x), examples(KEYS[3]).y)


DERIVATIVES = {
    "parameters, data and rate": lambda m, x, r: jax.grad(objective, (0, 1, 2))(m, x, r),
    "forward mode": lambda m, x, r: jax.jvp(objective, (m, x, r), (m, x, r)),
    "forward over reverse": lambda m, x, r: jax.jvp(
        jax.grad(objective, (0, 1, 2)), (m, x, r), (m, x, r)
    ),
    "reverse over reverse": lambda m, x, r: jax.grad(
        lambda r: jnp.vdot(jax.grad(objective, 1)(m, x, r), jnp.cos(x))
    )(r),
    "side by side": lambda m, x, r: jax.vmap(jax.grad(objective), (None, 0, None))(
        m, jnp.stack([x, 2 * x]), r
    ),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_both_ways_have_the_same_derivatives(name, monkeypatch):
    with jax.enable_x64(True):
        model, x = jax.tree.map(
            lambda leaf: jnp.asarray(np.asarray(leaf, np.float64)), (network(), examples(KEYS[2]).x)
        )
        close(both(monkeypatch, lambda: compiled(DERIVATIVES[name], model, x, jnp.array(0.3))))


def test_both_ways_with_a_state(monkeypatch):
    """Momentum's carry holds arrays that are no parameters; Adam's an integer, too."""
    for optimiser in (optax.sgd(0.1, momentum=0.9), optax.adam(0.1, eps_root=1e-3)):
        rule = qs.Optimiser(optimiser)
        learner = qs.InnerLoop(network("layer"), rule, steps=STEPS)
        gradient = functools.partial(lambda own: own.meta_gradient(TASK)[0], learner)
        pair = both(monkeypatch, functools.partial(compiled, gradient))
        first, second = (np.concatenate([np.ravel(x) for x in jax.tree.leaves(p)]) for p in pair)
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5 * np.abs(first).max())
