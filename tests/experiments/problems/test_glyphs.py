"""Glyphs as a problem: what it says without reading them is true of them."""

import equinox as eqx
import jax
import pytest

from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.glyphs import GlyphImages


@pytest.fixture(scope="module")
def episodes():
    return GlyphImages(ways=3, shots=2, queries=4).tasks("train", Source())


def test_inputs_and_classes_are_what_it_says(episodes):
    problem = GlyphImages()
    assert problem.training_classes == problem.classes(Source()) == episodes.classes
    task = eqx.filter_eval_shape(episodes.sample, jax.random.key(0))
    assert task.support.x.shape == (3 * 2, *problem.inputs)
    assert task.query.x.shape == (3 * 4, *problem.inputs)
    assert task.support.ways == 3


def test_it_reads_images_in_classes():
    assert GlyphImages().reads() == "images of 28×28×1 in classes"
    assert not GlyphImages.reads_folder, "they come with the package"
