"""A labelled set of one's own is what the samplers make of the same images."""

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.errors import BadInput

GREY = np.random.default_rng(0).integers(0, 256, (4, 1, 6, 5), np.uint8)


@pytest.mark.parametrize("images", [GREY, np.stack([GREY] * 3, -1)], ids=["grey", "colour"])
def test_images_are_what_the_samplers_make_of_them(images):
    """The one image of each class, drawn by the sampler and given by hand."""
    data = qs.ImageClasses.of({str(i): own.repeat(2, 0) for i, own in enumerate(images)})
    task = qs.Episodes.of(data, ways=4, shots=1, queries=1).sample(jax.random.key(0))
    own = qs.Examples.of(images[:, 0], np.arange(4))
    assert own.x.dtype == task.support.x.dtype
    assert own.x.shape == task.support.x.shape
    assert sorted(np.asarray(own.x).tolist()) == sorted(np.asarray(task.support.x).tolist())


def test_classes_of_unequal_sizes_become_one_set():
    data = qs.ImageClasses.of({"a": GREY[0], "b": GREY[1:, 0]})
    found = data.examples()
    assert found.y.tolist() == [0, 1, 1, 1]
    assert found.ways == 2
    np.testing.assert_allclose(found.x[..., 0], GREY[:, 0] / 255, rtol=1e-6)


def test_numbers_stay():
    x = np.array([[0.0, 300.0]], np.float32)
    assert qs.Examples.of(x, [0]).x.tolist() == x.tolist()


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([[1.0], [2.0]], [0], "one label"),
        (np.zeros((0, 1)), np.zeros(0, int), "at least one"),
        ([[1.0]], ["cat"], "class numbers"),
        ([[1.0]], [0.5], "class numbers"),
        ([[1.0]], [-1], "class numbers"),
    ],
)
def test_labels_that_are_none(x, y, said):
    with pytest.raises(BadInput, match=said):
        qs.Examples.of(x, y)
