"""The outer loop's one step, with learners and tasks whose sums are done by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import quickstudy as qs
from quickstudy.training.meta_training import MetaTraining, episode_scores

KEY = jax.random.key(0)


class Constant(qs.Learner):
    """Answers θ, whatever it has read: its loss is (θ − y)², its gradient 2 (θ − y)."""

    theta: jax.Array = eqx.field(default_factory=lambda: jnp.zeros(()))
    note: str = eqx.field(static=True, default="kept")

    def adapt(self, support, *, key=None):
        return lambda x: jnp.broadcast_to(self.theta, (x.shape[0], 1))


class Targets(eqx.Module):
    """Tasks of one query, whose target is drawn."""

    def sample(self, key):
        both = qs.Examples(jnp.zeros((1, 1)), jax.random.uniform(key, (1, 1)))
        return qs.Task(both, both)


def drawn(key, number):
    """The target of a task of that number: its key is folded in, and split in three."""
    own = jax.random.split(jax.random.fold_in(key, number), 3)[0]
    return float(jax.random.uniform(own, (1, 1))[0, 0])


def training(meta_batch=5):
    learner = Constant(loss=qs.squared_error)
    return MetaTraining(learner, Targets(), Targets(), optax.sgd(0.5), meta_batch, 7)


def test_a_step_descends_the_mean_of_the_tasks_gradients():
    """From θ = 0 the mean gradient is −2 mean(y), so that a rate of ½ leads to mean(y)."""
    own = training()
    state = own.init()
    assert own.host is None
    after, metrics = eqx.filter_jit(type(own).improve)(
        own, state, own.collect(state, KEY), jnp.zeros(())
    )
    wanted = np.mean([drawn(KEY, n) for n in range(5)])
    learned = own.learned(after)
    np.testing.assert_allclose(learned.theta, wanted, rtol=1e-5)
    np.testing.assert_allclose(metrics["gradient_norm"], 2 * wanted, rtol=1e-5)
    assert learned.note == "kept"


def test_validation_meets_the_same_tasks_and_less_error_is_more_score():
    own = training()
    score = eqx.filter_jit(type(own).validate)
    (first, again), other = (
        (score(own, own.init(), KEY) for _ in "ab"),
        score(own, own.init(), jax.random.key(1)),
    )
    assert first == again
    assert first["score"] == -first["squared_error"] < 0
    assert first["score"] != other["score"]


def test_scores_are_of_each_task_by_its_own_metric():
    name, scores = episode_scores(Constant(loss=qs.squared_error), Targets(), KEY, 7)
    assert name == "squared_error"
    keys = [jax.random.split(jax.random.fold_in(KEY, n))[0] for n in range(7)]
    wanted = [float(jax.random.uniform(key, (1, 1))[0, 0]) ** 2 for key in keys]
    np.testing.assert_allclose(scores, wanted, rtol=1e-5)
