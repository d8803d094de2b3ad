"""A context beside the inputs: at every position, and for what sees the support set."""

import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs

CONTEXT = jnp.array([10.0, 20.0])


def test_a_context_stands_behind_every_input():
    found = qs.WithContext(lambda x: x, CONTEXT)(jnp.array([[1.0], [2.0]]))
    assert found.tolist() == [[1, 10, 20], [2, 10, 20]]


def test_an_image_has_it_at_every_position():
    x = jnp.arange(8.0).reshape(1, 2, 2, 2)
    found = qs.WithContext(lambda x: x.reshape(1, -1), CONTEXT)(x).reshape(1, 2, 2, 4)
    np.testing.assert_array_equal(found[..., :2], x)
    np.testing.assert_array_equal(found[..., 2:], np.broadcast_to(CONTEXT, (1, 2, 2, 2)))


def test_the_network_sees_the_support_set_with_its_context():
    body = qs.Conv4(
        (4, 4, 3), filters=2, norm="support", downsample="stride", key=jax.random.key(0)
    )
    support = jax.random.normal(jax.random.key(1), (3, 4, 4, 1))
    seen = qs.WithContext(body, CONTEXT).condition(support)
    wanted = body.condition(seen._beside(support))
    assert all(map(np.array_equal, jax.tree.leaves(seen.network), jax.tree.leaves(wanted)))
    np.testing.assert_array_equal(seen.context, CONTEXT)
