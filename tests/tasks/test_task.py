"""A labelled set of one's own is what the samplers make of the same images."""

import equinox as eqx
import jax
import jax.numpy as jnp
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
        ([[1.0]], [1.0], "class numbers"),
        ([[1.0]], [-1], "class numbers"),
        (np.zeros((28, 28), np.uint8), [0], r"One image is a batch of one: x\[None\]"),
    ],
)
def test_labels_that_are_none(x, y, said):
    with pytest.raises(BadInput, match=said):
        qs.Examples.of(x, y)


def test_support_sets_are_read_by_the_one_convention():
    deep = GREY[:, 0].astype(np.uint16) * 257
    for images in (deep, GREY[:, 0, ..., None] / np.float32(255)):
        found = qs.Examples.of(images, np.arange(4)).x
        np.testing.assert_allclose(found[..., 0], GREY[:, 0] / 255, rtol=1e-6)
    whole = GREY[:, 0].astype(int)
    found = qs.Examples.of(whole, np.arange(4), levels=(0, 255)).x
    np.testing.assert_allclose(found[..., 0], GREY[:, 0] / 255, rtol=1e-6)
    for images in (whole, GREY[:, 0, ..., None] * 1.0):
        with pytest.raises(BadInput, match=r"range is not known|outside 0"):
            qs.Examples.of(images, np.arange(4))
    with pytest.raises(BadInput, match="channels first"):
        qs.Examples.of(np.zeros((4, 3, 8, 8), np.uint8), np.arange(4))


def test_bytes_are_scaled_however_examples_are_made():
    labels = jax.numpy.arange(4)
    made = qs.Examples(GREY[:, 0], labels, 4)
    np.testing.assert_array_equal(made.x, qs.Examples.of(GREY[:, 0], np.arange(4)).x)
    inside = jax.jit(lambda x: qs.Examples(x, labels, 4).x)(GREY[:, 0])
    np.testing.assert_allclose(inside, made.x, rtol=1e-6)


@pytest.mark.parametrize(
    ("y", "real", "said"),
    [
        ([1, 2, 3], None, "go from 1 to 3, and the task has 3 classes, 0 to 2"),
        ([-1, 0, 1], None, "go from -1 to 1"),
        ([0.0, 1.0, 2.0], None, r"labels are float32\[3\]"),
        ([[0], [1], [2]], None, r"labels are int32\[3, 1\]"),
        ([0, 1], None, r"y has the shape \[2\] and x \[3, 2\]"),
        ([0, 3, 1], [True, True, False], "go from 0 to 3"),
    ],
)
def test_labels_that_no_class_has(y, real, said):
    """However examples are made: the field's own constructor does not read its arrays."""
    real = None if real is None else jnp.array(real)
    given = qs.Examples(jnp.zeros((3, 2)), jnp.array(y), 3, real)
    learner = qs.Prototypical(qs.MLP(2, (4,), key=jax.random.key(0)))
    with pytest.raises(BadInput, match=said):
        learner.adapt(given)


def test_labels_of_padding_are_not_looked_at():
    real = jnp.array([True, True, False])
    given = qs.Examples(jnp.zeros((3, 2)), jnp.array([0, 1, 9]), 2, real)
    qs.Prototypical(qs.MLP(2, (4,), key=jax.random.key(0))).adapt(given)


def test_labels_that_are_true_or_false():
    """Which the field's type does not allow, and nobody checks that outside of tests."""
    given = qs.Examples(jnp.zeros((2, 2)), jnp.array([0, 1]), 2)
    given = eqx.tree_at(lambda one: one.y, given, jnp.array([True, False]))
    learner = qs.Prototypical(qs.MLP(2, (4,), key=jax.random.key(0)))
    with pytest.raises(BadInput, match=r"labels are bool\[2\].*quickstudy.labelled"):
        learner.adapt(given)
