"""All that a learner is asked for: predictions, and a meta-gradient of floating-point arrays."""

import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.testing.subject import compiled_answers, meta_gradient_of
from references.clusters import Clusters, Right

KEY = jax.random.key(0)
TASK = Clusters().sample(KEY)


def test_predictions_and_the_gradient_of_their_loss():
    """Distances to the class means, scaled by θ, and the slope of their cross-entropy, by hand."""
    (x, y), (queries, labels) = ((np.asarray(s.x, float), s.y) for s in (TASK.support, TASK.query))
    centres = np.stack([x[np.asarray(y) == k].mean(0) for k in range(3)])

    def scores(scale):
        return -np.square((queries[:, None] - centres) * scale).sum(-1)

    def loss(scale):
        shares = np.exp(scores(scale)) / np.exp(scores(scale)).sum(1, keepdims=True)
        return -np.log(shares[np.arange(len(queries)), np.asarray(labels)]).mean()

    learner = Right(scale=jnp.array([0.5, 0.7]))
    outputs, gradient = compiled_answers(learner, TASK, KEY)
    scale, apart = np.array([0.5, 0.7]), 1e-5 * np.eye(2)
    np.testing.assert_allclose(outputs, scores(scale), rtol=1e-4, atol=1e-5)
    wanted = [(loss(scale + d) - loss(scale - d)) / 2e-5 for d in apart]
    np.testing.assert_allclose(gradient.scale, wanted, rtol=1e-3, atol=1e-5)


def test_what_is_no_floating_point_array_is_no_part_of_it():
    class Counting(Right):
        def meta_gradient(self, task, *, key=None, progress=1.0):
            return Right(scale=jnp.arange(2)), {}

    assert meta_gradient_of(Counting(), TASK, KEY).scale is None
