"""All that a learner is asked for: predictions, and a meta-gradient of floating-point arrays."""

import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from quickstudy.testing.subject import compiled_answers, meta_gradient_of, predictions_of
from references.clusters import Clusters, Right

KEY = jax.random.key(0)
TASK = Clusters().sample(KEY)


def test_predictions_and_the_gradient_of_their_loss():
    learner = Right()
    outputs, gradient = predictions_of(learner, TASK, KEY)
    np.testing.assert_array_equal(outputs, learner.adapt(TASK.support)(TASK.query.x))

    def loss(scale):
        return qs.cross_entropy(Right(scale=scale).adapt(TASK.support)(TASK.query.x), TASK.query.y)

    np.testing.assert_allclose(gradient.scale, jax.grad(loss)(learner.scale), rtol=1e-4)
    again = compiled_answers(learner, TASK, KEY)
    np.testing.assert_allclose(again[0], outputs, rtol=1e-4, atol=1e-5)


def test_what_is_no_floating_point_array_is_no_part_of_it():
    class Counting(Right):
        def meta_gradient(self, task, *, key=None, progress=1.0):
            return Right(scale=jnp.arange(2)), {}

    assert meta_gradient_of(Counting(), TASK, KEY).scale is None
