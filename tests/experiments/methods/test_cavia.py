"""CAVIA as settings: a network that reads a context beside its inputs."""

import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.cavia import CAVIAConfig
from references.small_problems import NETWORK, POINTS, built


def test_the_network_reads_inputs_and_context():
    learner = built(CAVIAConfig, POINTS, context=7, inner_lr=0.5, inner_steps=2)
    assert learner.model.context.tolist() == [0] * 7
    assert learner.model.network.body.layers[0].weight.shape == (2 + 7, 3)
    assert learner.model(jnp.ones((4, 2))).shape == (4, 3)
    assert (learner.inner_lr, learner.steps) == (0.5, 2)


def test_its_head_is_drawn():
    """Through one of zeros nothing would move the context."""
    assert np.all(built(CAVIAConfig, POINTS).model.network.head.weight)


def test_images_get_a_channel_for_each_number():
    images = qs.find_problem("glyphs")
    config = CAVIAConfig(network=NETWORK, context=2)
    learner = config.learner(images, 0)
    assert learner.model(jnp.ones((1, 28, 28, 1))).shape == (1, 5)
    assert learner.model.network.body.network.layers[0].weight.shape == (28 * 28 * 3, 3)


def test_a_context_of_nothing():
    with pytest.raises(qs.BadInput, match="context is 0"):
        built(CAVIAConfig, context=0)
