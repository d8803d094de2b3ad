"""Learners that are not trained, and images whose class stands in their first pixel."""

import equinox as eqx
import jax
import numpy as np

from quickstudy.learners.learner import Learner


class Reads(Learner):
    """Takes every query for class 0 of its task, and every target for 0, 1, 2 ... by steps."""

    def adapt(self, support, *, key=None):
        return lambda x: jax.nn.one_hot(jax.numpy.zeros(len(x), int), support.ways or 1)


def marked(classes):
    """2×2 images: the first pixel is the class."""
    images = np.zeros((classes, 3, 2, 2), np.uint8)
    images[..., 0, 0] = np.arange(classes)[:, None]
    return images


class ReadsPixel(Learner):
    """Reads the class off the first pixel."""

    ways: int = eqx.field(static=True, default=3)

    def adapt(self, support, *, key=None):
        return lambda x: jax.nn.one_hot((x[:, 0, 0, 0] * 10).round().astype(int), self.ways)
