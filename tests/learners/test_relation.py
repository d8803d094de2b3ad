"""Relation networks by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.relation import score_error

X = jnp.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
SUPPORT = qs.Examples(X, jnp.array([0, 1, 1]), 2)
TARGETS = qs.Examples(jnp.ones((2, 2)), jnp.ones((2, 1)))


def same(x):
    return x


def test_relation_by_hand():
    """Sums or means of the classes, side by side with the query, through g, then σ."""

    def relation(pairs):
        return pairs[:, :1] * 10 + pairs[:, 3:]  # 10 · first of the class + second of the query

    query = jnp.array([[7.0, -11.0]])
    for pooling, classes in ((qs.class_sums, [1.0, 3.0]), (qs.class_means, [1.0, 1.5])):
        found = qs.Relation(same, relation, pooling=pooling).adapt(SUPPORT)(query)
        wanted = [[1 / (1 + np.exp(-(10 * c - 11.0))) for c in classes]]
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
    found = qs.Relation(same, relation).adapt(SUPPORT)(query)
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_means_are_the_same_for_any_number_of_shots():
    """Where every example of a class is repeated, sums answer otherwise and means do not."""
    relation = qs.MLP(4, (8, 1), key=jax.random.key(0))
    twice = qs.Examples(jnp.repeat(SUPPORT.x, 2, 0), jnp.repeat(SUPPORT.y, 2), SUPPORT.ways)
    for pooling, equal in ((qs.class_sums, False), (qs.class_means, True)):
        learner = qs.Relation(same, relation, pooling=pooling)
        once, again = (learner.adapt(support)(X) for support in (SUPPORT, twice))
        assert np.allclose(once, again, rtol=1e-5) == equal


def test_relation_on_feature_maps():
    def maps(x):
        return jnp.broadcast_to(x[:, None, None], (len(x), 3, 3, 2))

    def relation(pairs):
        assert pairs.shape[1:] == (3, 3, 4)
        return jnp.sum(pairs, (1, 2, 3))[:, None]

    assert qs.Relation(maps, relation).adapt(SUPPORT)(X).shape == (3, 2)


def test_scores_are_regressed():
    outputs = jnp.array([[0.9, 0.2], [0.5, 0.5]])
    wanted = (0.1**2 + 0.2**2 + 0.5**2 + 0.5**2) / 4
    assert float(score_error(outputs, jnp.array([0, 1]))) == pytest.approx(wanted, rel=1e-5)


def test_only_for_classes():
    with pytest.raises(qs.BadInput, match="needs class labels"):
        qs.Relation(same, same).check(qs.Task(TARGETS, TARGETS))
