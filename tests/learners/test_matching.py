"""Matching networks: attention by hand, and full context embeddings as in the appendix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs

KEY = jax.random.key(0)
X = jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
SUPPORT = qs.Examples(X, jnp.array([0, 1, 1]), 2)
TARGETS = qs.Examples(jnp.ones((2, 2)), jnp.ones((2, 1)))


def same(x):
    return x


@pytest.mark.parametrize("similarity", [qs.cosine, qs.dot_product])
def test_matching_shares_out_the_labels(similarity):
    """p(y | x) = Σ_k a(x, x_k) y_k, with a softmax over the support set."""
    predictor = qs.Matching(same, similarity=similarity).adapt(SUPPORT)
    query = jnp.array([[3.0, 4.0], [1.0, -1.0]])
    scores = np.asarray(similarity(query, X))
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(predictor.attention(query), weights, rtol=1e-5)
    wanted = np.stack([weights[:, 0], weights[:, 1] + weights[:, 2]], 1)
    np.testing.assert_allclose(np.exp(predictor(query)), wanted, rtol=1e-5)
    # The outputs are log-probabilities, so cross-entropy is the paper's −log p(y | x).
    loss = qs.cross_entropy(predictor(query), jnp.array([0, 1]))
    np.testing.assert_allclose(loss, -np.mean(np.log([wanted[0, 0], wanted[1, 1]])), rtol=1e-5)


def test_sharper_attention():
    query = jnp.array([[3.0, 4.0]])
    found = qs.Matching(same, sharpness=3.0).adapt(SUPPORT).attention(query)
    np.testing.assert_allclose(found, jax.nn.softmax(3 * qs.cosine(query, X)), rtol=1e-5)


def test_own_networks_for_support_and_query():
    query = jnp.array([[1.0, 1.0]])
    for learner in (
        qs.Matching(same, lambda x: 2 * x, similarity=qs.dot_product),
        qs.Prototypical(same, lambda x: 2 * x, similarity=qs.dot_product),
    ):
        shared = type(learner)(same, similarity=qs.dot_product)
        found = learner.adapt(SUPPORT)(query)
        np.testing.assert_allclose(found, shared.adapt(SUPPORT)(2 * query), rtol=1e-5)


def test_full_context_sees_the_whole_set():
    context = qs.FullContext.create(2, reads=3, key=KEY)
    learner = qs.Matching(same, context=context)
    query = jnp.array([[1.0, 1.0], [-2.0, 0.5]])
    first = learner.adapt(SUPPORT)
    changed = qs.Examples(X.at[2].add(1.0), SUPPORT.y, 2)
    others = learner.adapt(changed)
    # g of the untouched examples changes with the set, before and behind them ...
    assert float(jnp.min(jnp.max(jnp.abs(first.g[:2] - others.g[:2]), 1))) > 1e-3
    assert float(jnp.max(jnp.abs(learner.context.support(X) - X))) > 1e-2
    # ... and f of a query, but not with the other queries.
    f, g = (context.query(query, p.g) for p in (first, others))
    assert float(jnp.min(jnp.max(jnp.abs(f - g), 1))) > 1e-4
    np.testing.assert_allclose(context.query(query[:1], first.g)[0], f[0], rtol=1e-5)


def lstm_step(lstm, drive, h, c):
    """One step of an LSTM in float64; `drive` is what does not come from h."""
    i, f, o, g = np.split(drive + h @ np.asarray(lstm.hidden, np.float64), 4)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c


def driven(linear, x):
    return x @ np.asarray(linear.weight, np.float64) + np.asarray(linear.bias, np.float64)


def appendix_g(context, g):
    """g(x_i) = h→_i + h←_i + g'(x_i), example after example."""
    found = g.copy()
    orders = (range(len(g)), reversed(range(len(g))))
    for lstm, order in zip((context.forward, context.backward), orders, strict=True):
        h = c = np.zeros(g.shape[1])
        for i in order:
            h, c = lstm_step(lstm, driven(lstm.inputs, g[i]), h, c)
            found[i] += h
    return found


def appendix_f(context, f, g):
    """ĥ_k, c_k = LSTM(f', [h_{k−1}, r_{k−1}], c_{k−1}), h_k = ĥ_k + f', and
    r_{k−1} = Σ_i softmax_i(h_{k−1} · g_i) g_i, from h_0 = c_0 = 0."""
    h = c = np.zeros_like(f)
    for _ in range(context.reads):
        shares = np.exp(g @ h) / np.exp(g @ h).sum()
        drive = driven(context.reader.inputs, f) + driven(context.merge, shares @ g)
        h, c = lstm_step(context.reader, drive, h, c)
        h = h + f
    return h


@pytest.mark.parametrize("reads", [1, 3])
def test_full_context_is_the_appendix(reads):
    drawn = np.random.default_rng(0).normal(size=(7, 4))
    context = qs.FullContext.create(4, reads=reads, key=KEY)
    g, queries = drawn[:5], drawn[5:]
    wanted = appendix_g(context, g)
    found = context.support(jnp.asarray(g, jnp.float32))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    found = context.query(jnp.asarray(queries, jnp.float32), jnp.asarray(wanted, jnp.float32))
    wanted = [appendix_f(context, f, wanted) for f in queries]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_an_attention_read_by_hand():
    """All LSTM weights zero: ĥ = ½ tanh(0) = 0, so h = f'(x), whatever is read."""
    context = jax.tree.map(jnp.zeros_like, qs.FullContext.create(2, reads=3, key=KEY))
    query = jnp.array([[1.0, -1.0]])
    np.testing.assert_allclose(context.query(query, X), query, atol=1e-6)
    np.testing.assert_allclose(context.support(X), X, atol=1e-6)


def test_only_for_classes():
    with pytest.raises(qs.BadInput, match="needs class labels"):
        qs.Matching(same).check(qs.Task(TARGETS, TARGETS))
