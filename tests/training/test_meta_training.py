"""The outer loop's one step, with learners and tasks whose sums are done by hand."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.training.algorithm import update
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


TASKS = qs.Sinusoid(shots=5, queries=5)
LEARNER = qs.MAML(qs.MLP(1, (8, 1), key=KEY), inner_lr=0.01, steps=1, loss=qs.squared_error)


def more_steps(learner):
    return dataclasses.replace(learner, steps=4)


def test_the_learner_is_validated_as_it_is_tested():
    """With more inner steps than in training; what is learned keeps its own number."""
    found = {}
    for name, how in (("as trained", {}), ("as tested", {"for_test": more_steps})):
        algorithm = MetaTraining(LEARNER, TASKS, TASKS, optax.sgd(0.1), 2, 6, **how)
        found[name] = float(algorithm.validate(algorithm.init(), KEY)["squared_error"])
        assert algorithm.learned(algorithm.init()).steps == 1
    wanted = [
        episode_scores(own, TASKS, KEY, 6)[1].mean() for own in (LEARNER, more_steps(LEARNER))
    ]
    assert list(found.values()) == pytest.approx([float(one) for one in wanted])
    assert abs(found["as trained"] - found["as tested"]) > 1e-3


def weights(learner):
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(eqx.filter(learner, eqx.is_array))])


def test_what_is_learned_is_the_moving_average():
    """By hand: Σ_s 0.5^(3−s) θ_s / Σ_s 0.5^(3−s) after three steps, which is validated, too."""
    plain, averaged = (
        MetaTraining(LEARNER, TASKS, TASKS, optax.sgd(0.3), 2, 6, ema=ema) for ema in (0.0, 0.5)
    )
    states, path = [plain.init(), averaged.init()], []
    np.testing.assert_array_equal(weights(averaged.learned(states[1])), weights(LEARNER))
    for step in range(3):
        key = jax.random.fold_in(KEY, step)
        states = [
            jax.jit(lambda own, key, a=algorithm: update(a, own, key, jnp.float32(0))[0])(own, key)
            for algorithm, own in zip((plain, averaged), states, strict=True)
        ]
        path.append(weights(plain.learned(states[0])))
    shares = np.array([0.25, 0.5, 1.0])
    wanted = (shares[:, None] * np.stack(path)).sum(0) / shares.sum()
    found = averaged.learned(states[1])
    np.testing.assert_allclose(weights(found), wanted, rtol=1e-5, atol=1e-7)
    assert np.abs(wanted - path[-1]).max() > 1e-3
    np.testing.assert_array_equal(
        states[1].parameters.model.layers[0].weight, states[0].parameters.model.layers[0].weight
    )
    score = float(averaged.validate(states[1], KEY)["squared_error"])
    assert score == pytest.approx(float(episode_scores(found, TASKS, KEY, 6)[1].mean()))


@pytest.mark.parametrize("ema", [0.9, 0.9999, 0.999999])
def test_the_average_of_what_does_not_move_is_that(ema):
    """However slowly it averages, and after however many steps."""
    algorithm = MetaTraining(LEARNER, TASKS, TASKS, optax.sgd(0.0), 2, 6, ema=ema)
    state = algorithm.init()
    for count in range(1, 4):
        average = algorithm._average().update(state.parameters, state.average)[1]
        state = eqx.tree_at(lambda s: s.average, state, average)
        np.testing.assert_allclose(
            weights(algorithm.learned(state)), weights(LEARNER), rtol=1e-5, err_msg=str(count)
        )


def test_averages_that_cannot_be():
    for ema in (1.0, -0.1):
        with pytest.raises(qs.BadInput, match=r"ema is .* below 1"):
            qs.MetaPlan(ema=ema)
