"""The set of past transitions: its two ways of pooling by hand, and what is no transition."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.nets.context import Context, GaussianProduct, Mean

KEY = jax.random.key(0)
NEVER = jnp.zeros(4, bool)


def test_a_product_of_gaussians_by_hand():
    """Factors N(3, 1) and N(1, ½), precisions 1 and 2: 1/σ² = 1 + 1 + 2, μ = (3 + 2 · 1)/4."""
    spread = jnp.log(jnp.expm1(jnp.array([1.0, 2.0])))  # softplus makes the precisions of it
    written = jnp.stack([jnp.array([3.0, 1.0]), spread], 1)
    pooling = GaussianProduct()
    sums = jnp.sum(pooling.parts(written), 0)[None]
    np.testing.assert_allclose(
        pooling.pool(sums, jnp.array([2.0])), [[1.25, -np.log(4)]], rtol=1e-5
    )
    nothing = pooling.pool(jnp.zeros((1, 2)), jnp.zeros(1))
    assert nothing.tolist() == [[0, 0]], "the prior: mean 0, log-variance 0"


def test_a_mean_of_nothing_is_zero():
    sums, counts = jnp.array([[6.0], [0.0]]), jnp.array([3.0, 0.0])
    assert Mean().pool(sums, counts).tolist() == [[2.0], [0.0]]


@eqx.filter_jit
def after(memory, state, x, reset):
    return memory.sequence(state, x[None], reset[None])[0]


def transitions(memory, xs, resets=NEVER):
    """The sums and the number of transitions after every input."""
    state, found = memory.initial(), []
    for x, reset in zip(xs, resets, strict=True):
        state = after(memory, state, x, reset)
        found.append((state[0][:-1], float(state[0][-1])))
    return found


def test_an_observation_alone_is_no_transition():
    """Four observations make three transitions; those before a reset are forgotten."""
    memory = Context.create(3, 6, observed=2, key=KEY)
    xs = jax.random.normal(KEY, (4, 3))
    assert [count for _, count in transitions(memory, xs)] == [0, 1, 2, 3]
    assert [count for _, count in transitions(memory, xs, NEVER.at[2].set(True))] == [0, 1, 0, 1]


def test_the_order_of_what_has_happened_is_irrelevant():
    """From o to o, to o again: the same transitions in another order, told apart by rewards."""
    memory = Context.create(3, 6, observed=2, key=KEY)
    xs = jnp.array([[1.0, 2.0, 0.0], [1.0, 2.0, 5.0], [1.0, 2.0, 7.0], [1.0, 2.0, 0.0]])
    there, back = (transitions(memory, x)[-1][0] for x in (xs, xs[jnp.array([0, 2, 1, 3])]))
    np.testing.assert_allclose(there, back, rtol=1e-5)
    other = transitions(memory, xs.at[1, 2].set(6.0))[-1][0]
    assert float(jnp.max(jnp.abs(there - other))) > 1e-3
