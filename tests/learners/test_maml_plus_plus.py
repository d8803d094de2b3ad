"""MAML++: its annealed gradient, and the norms of every step."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.maml_plus_plus import step_weights
from quickstudy.nets.norm import running_statistics
from references.one_wave import KEY, MAML, MODEL, RATE, SETTINGS, STEPS, close, flat, gradient
from references.small_pictures import PICTURES, conv


def test_maml_plus_plus_is_first_order_at_first():
    """At progress 0 its gradient is Σ_j 1/k of first-order gradients; at the end it is exact."""
    learner = qs.MAMLPlusPlus.create(MODEL, inner_lr=RATE, steps=STEPS, **SETTINGS)
    each = [
        flat(gradient(qs.FirstOrderMAML(MODEL, inner_lr=RATE, steps=k, **SETTINGS)).model)
        for k in range(1, STEPS + 1)
    ]
    close(flat(gradient(learner, 0.0).model), np.mean(each, 0))
    close(flat(gradient(learner, 0.29).model), each[-1])
    close(flat(gradient(learner, 0.31).model), flat(gradient(MAML).model))


def test_maml_plus_plus_has_norms_for_every_step():
    body = qs.Conv4((4, 4, 1), filters=2, downsample="stride", key=KEY)
    model = qs.Headed(body, qs.Linear.create(2, 2, key=KEY))
    learner = qs.MAMLPlusPlus.create(model, inner_lr=RATE, steps=2)
    x, y = jax.random.normal(KEY, (4, 4, 4, 1)), jnp.arange(4) % 2
    task = qs.Task(qs.Examples(x, y, 2), qs.Examples(x[::-1], y, 2))
    found = eqx.filter_jit(lambda own, p: own.meta_gradient(task, progress=p)[0])(learner, 0.5)
    scales = [np.abs(block.norm.scale).max(1) for block in found.norms.body.blocks]
    assert all((scale > 0).all() for scale in scales), "every step has its own, and learns it"
    assert scales[0].shape == (3,)
    assert not np.any(flat([block.norm for block in found.model.body.blocks]))
    assert found.rates.body.blocks[0].norm.scale is None, "the inner loop leaves norms alone"


def test_the_weights_of_the_steps():
    halfway = step_weights(4, 0.05, 0.1)
    np.testing.assert_allclose(halfway, [0.125, 0.125, 0.125, 0.625], rtol=1e-6)
    assert float(jnp.sum(step_weights(5, 0.033, 0.1))) == pytest.approx(1)


@pytest.mark.parametrize("progress", [0.0, 0.5])
def test_without_a_multi_step_loss_the_last_step_counts_alone(progress):
    settings = {"inner_lr": RATE, "steps": STEPS, "first_order": 0.0, **SETTINGS}
    learner = qs.MAMLPlusPlus.create(MODEL, multi_step=0.0, **settings)
    assert step_weights(3, progress, 0.0).tolist() == [0, 0, 1]
    close(flat(gradient(learner, progress).model), flat(gradient(MAML).model))


def running(**settings):
    return qs.MAMLPlusPlus.create(
        conv("running"), inner_lr=0.5, steps=2, first_order=0.0, **settings
    )


@eqx.filter_jit
def compiled_gradient(learner):
    return learner.meta_gradient(PICTURES)


def test_running_statistics_move_towards_those_of_every_step():
    """By hand for the first layer, whose inputs no statistics have changed."""
    learner = running()
    found = running_statistics(compiled_gradient(learner)[0].norms)[:2]
    batch = qs.MAMLPlusPlus.create(conv("batch"), inner_lr=0.5, steps=2, first_order=0.0)
    path = batch.adapt_by_steps(PICTURES.support, 2)
    assert len(found[0]) == 3
    for step in range(3):
        block = jax.tree.map(lambda leaf, j=step: leaf[j], path.body.blocks[0])
        seen = block.convolve(PICTURES.support.x)
        close(found[0][step], 0 - np.mean(seen, (0, 1, 2)))
        close(found[1][step], 1 - np.var(seen, (0, 1, 2)))
    assert np.abs(found[0][2] - found[0][0]).max() > 1e-3, "the steps must differ"


def test_meta_training_with_running_statistics_uses_the_batches_own():
    """All else that is learned gets the meta-gradient of the norm `batch`."""
    batch = qs.MAMLPlusPlus.create(conv("batch"), inner_lr=0.5, steps=2, first_order=0.0)
    (found, metrics), (wanted, other) = compiled_gradient(running()), compiled_gradient(batch)
    close(metrics["loss"], other["loss"])
    close(flat(found.model.body.blocks[0].kernel), flat(wanted.model.body.blocks[0].kernel))
    close(flat(found.rates), flat(wanted.rates))
    close(found.norms.body.blocks[1].norm.scale, wanted.norms.body.blocks[1].norm.scale)


def test_running_statistics_normalise_afterwards():
    learner = running()
    moved = eqx.tree_at(
        lambda own: running_statistics(own.norms)[0], learner, replace_fn=lambda mean: mean + 1
    )
    queries = PICTURES.query.x
    for own in (learner, moved):
        adapted = own.adapt(PICTURES.support)
        close(adapted(queries)[:1], adapted(queries[:1]))
    assert not learner.transductive
    found, other = (own.adapt(PICTURES.support)(queries) for own in (learner, moved))
    assert np.abs(found - other).max() > 1e-3
