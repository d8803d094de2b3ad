"""Transfer baselines: pre-trained on all classes, then a new classifier per task."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs

KEY = jax.random.key(0)
BODY = qs.MLP(2, (6,), activation=jnp.tanh, key=KEY)
SUPPORT = qs.Examples(jnp.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]]), jnp.array([0, 1, 1]), 2)


def of(make, **settings):
    return make(BODY, qs.Linear.create(6, 9, key=KEY), **settings)


def test_training_is_ordinary_classification():
    learner = of(qs.NearestCentroid)
    batch = qs.Examples(SUPPORT.x, jnp.array([8, 0, 3]), 9)
    wanted = qs.cross_entropy(learner.classifier(BODY(batch.x)), batch.y)
    loss, metrics = learner.meta_loss(qs.Task(batch, batch))
    assert float(loss) == pytest.approx(float(wanted))
    assert "accuracy" in metrics


def test_nearest_centroid_by_hand():
    def unit(x):
        return np.asarray(x) / np.linalg.norm(x, axis=1, keepdims=True)

    features, query = unit(BODY(SUPPORT.x)), jnp.array([[1.0, -1.0]])
    centres = np.stack([features[0], features[1:].mean(0)])
    wanted = -((unit(BODY(query))[:, None] - centres[None]) ** 2).sum(-1)
    np.testing.assert_allclose(of(qs.NearestCentroid).adapt(SUPPORT)(query), wanted, rtol=1e-4)


def test_nearest_centroid_less_the_centre_by_hand():
    """CL2N: subtract, then make the length 1; and the slope of the centre leads to the mean."""
    centre = jnp.linspace(-1, 1, 6)

    def unit(x):
        less = np.asarray(x) - np.asarray(centre)
        return less / np.linalg.norm(less, axis=1, keepdims=True)

    learner, query = of(qs.NearestCentroid, centre=centre), jnp.array([[1.0, -1.0]])
    features = unit(BODY(SUPPORT.x))
    centres = np.stack([features[0], features[1:].mean(0)])
    wanted = -((unit(BODY(query))[:, None] - centres[None]) ** 2).sum(-1)
    np.testing.assert_allclose(learner.adapt(SUPPORT)(query), wanted, rtol=1e-4)
    batch = qs.Task(*[qs.Examples(SUPPORT.x, jnp.array([8, 0, 3]), 9)] * 2)
    (slope, metrics), (plain, same) = (
        own.meta_gradient(batch) for own in (learner, of(qs.NearestCentroid))
    )
    np.testing.assert_allclose(slope.centre, centre - BODY(SUPPORT.x).mean(0), rtol=1e-5)
    assert float(metrics["loss"]) == pytest.approx(float(same["loss"]))
    for found, wanted in zip(
        jax.tree.leaves((slope.body, slope.classifier)),
        jax.tree.leaves((plain.body, plain.classifier)),
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_only_the_head_moves_or_all_of_it():
    settings = {"optimiser": optax.sgd(0.1), "steps": 4}
    for make in (qs.FineTuneHead, qs.BaselinePlusPlus):
        adapted = of(make, **settings).adapt(SUPPORT)
        same = jax.tree.map(np.array_equal, adapted.body, BODY)
        assert all(jax.tree.leaves(same))
    adapted = of(qs.FineTuneAll, **settings).adapt(SUPPORT)
    assert not np.array_equal(adapted.body.layers[0].weight, BODY.layers[0].weight)


def test_fine_tuning_by_hand():
    """One step from a head of zeros: −α times the gradient of the cross-entropy."""
    learner = of(qs.FineTuneHead, optimiser=optax.sgd(0.5), steps=1)
    features = np.asarray(BODY(SUPPORT.x))
    wrong = 0.5 - np.eye(2)[[0, 1, 1]]  # softmax of zeros, less the labels
    np.testing.assert_allclose(
        learner.adapt(SUPPORT).head.weight, -0.5 * features.T @ wrong / 3, rtol=1e-4
    )


def test_cosine_head_starts_at_the_class_means():
    learner = of(qs.BaselinePlusPlus, steps=0)
    found = learner.adapt(SUPPORT)(SUPPORT.x)
    assert jnp.argmax(found, 1).tolist() == [0, 1, 1]
    assert float(jnp.max(jnp.abs(found))) <= 10 + 1e-4


def test_more_fine_tuning_fits_better():
    learner = of(qs.FineTuneAll)
    losses = [
        float(
            qs.cross_entropy(
                dataclasses.replace(learner, steps=steps).adapt(SUPPORT)(SUPPORT.x), SUPPORT.y
            )
        )
        for steps in (0, 10, 100)
    ]
    assert losses[0] == pytest.approx(np.log(2), rel=1e-5)
    assert losses[0] > losses[1] > losses[2]


def test_only_for_classes():
    task = qs.Sinusoid().sample(KEY)
    with pytest.raises(qs.BadInput, match=r"no classes.*JointFineTuning"):
        of(qs.FineTuneAll).check(task)
