"""Evaluation: the interval by hand, the path of adaptation, and the same tasks for everybody."""

import dataclasses
import json
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.evaluation.tasks import Estimate
from quickstudy.writing import write_json

KEY = jax.random.key(4)
TASKS = qs.Sinusoid(shots=4, queries=3)


def maml(steps=2, rate=0.01):
    model = qs.MLP(1, (8, 1), key=jax.random.key(0))
    return qs.MAML(model, inner_lr=rate, steps=steps, loss=qs.squared_error)


@pytest.fixture(scope="module")
def evaluation():
    return qs.evaluate(maml(), TASKS, episodes=6, key=KEY, path_steps=4)


def by_hand(predictor_of, episodes=6):
    """The squared errors of a plain loop over the tasks that `evaluate` draws."""
    scores = []
    for i in range(episodes):
        task = TASKS.sample(jax.random.split(jax.random.fold_in(KEY, i))[0])
        outputs = predictor_of(task.support)(task.query.x)
        scores.append(np.mean(np.square(outputs - task.query.y)))
    return np.array(scores)


def test_interval_by_hand():
    """0, 0, 3, 5: mean 2, s² = (4 + 4 + 1 + 9) / 3 = 6, interval 1.96 √(6 / 4)."""
    estimate = qs.Estimate.of(np.array([0.0, 0.0, 3.0, 5.0]))
    assert estimate.mean == 2
    assert estimate.interval == pytest.approx(1.96 * math.sqrt(1.5), rel=1e-12)
    assert qs.Estimate.of(np.full(9, 0.5)) == qs.Estimate(0.5, 0.0)


def test_one_task_has_no_interval():
    assert qs.Estimate.of(np.array([0.5])).interval == math.inf


def test_a_task_that_diverged_has_no_interval_and_json_says_null(tmp_path):
    found = Estimate.of(np.array([1.0, np.inf]))
    assert found.mean == np.inf
    assert np.isnan(found.interval)
    file = tmp_path / "estimate.json"
    write_json(file, {"path": (dataclasses.asdict(found),)})
    (read,) = json.loads(file.read_text(), parse_constant=pytest.fail)["path"]
    assert read == {"mean": None, "interval": None}
    assert np.isnan(Estimate.from_json(read).mean)


def test_equals_the_plain_loop(evaluation):
    learner = maml()
    for estimate, predictor_of in (
        (evaluation.after, learner.adapt),
        (evaluation.before, learner.unadapted),
        (evaluation.path[4], maml(steps=4).adapt),
    ):
        scores = by_hand(predictor_of)
        assert estimate.mean == pytest.approx(scores.mean(), rel=1e-4)
        wanted = 1.96 * scores.std(ddof=1) / math.sqrt(6)
        assert estimate.interval == pytest.approx(wanted, rel=1e-4)


def test_the_path_leads_from_before_to_after(evaluation):
    assert len(evaluation.path) == 5
    assert evaluation.path[0].mean == pytest.approx(evaluation.before.mean, rel=1e-6)
    assert evaluation.path[2].mean == pytest.approx(evaluation.after.mean, rel=1e-6)
    assert evaluation.path[1].mean != pytest.approx(evaluation.path[2].mean, rel=1e-6)


def test_the_same_key_gives_the_same_tasks(evaluation):
    again = qs.evaluate(maml(), TASKS, episodes=6, key=KEY, path_steps=4)
    assert again == evaluation
    other = qs.evaluate(maml(), TASKS, episodes=6, key=jax.random.key(5), path_steps=4)
    assert other.after != evaluation.after


class Knows(qs.Learner):
    """Answers what the first support target is: a fingerprint of the task."""

    loss: object = eqx.field(static=True, default=qs.squared_error)

    def adapt(self, support, *, key=None):
        return lambda x: jnp.broadcast_to(support.y[:1], (x.shape[0], 1))


def test_every_learner_meets_the_same_tasks():
    """However it uses its own key, and on however many devices."""
    found = qs.evaluate(Knows(), TASKS, episodes=6, key=KEY).after.mean
    wanted = by_hand(lambda support: lambda x: np.broadcast_to(support.y[:1], x.shape))
    assert found == pytest.approx(wanted.mean(), rel=1e-5)


def test_one_device_equals_two(evaluation, monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 1)
    # Another number of steps, for what is compiled already does not know of the new count.
    alone = qs.evaluate(maml(), TASKS, episodes=6, key=KEY, path_steps=3)
    assert alone.after.mean == pytest.approx(evaluation.after.mean, rel=1e-5)


def test_an_odd_number_of_tasks():
    scores = by_hand(maml().adapt, episodes=5)
    found = qs.evaluate(maml(), TASKS, episodes=5, key=KEY, path_steps=1)
    assert found.episodes == 5
    assert found.after.mean == pytest.approx(scores.mean(), rel=1e-4)


def test_learners_without_steps_have_no_path():
    evaluation = qs.evaluate(Knows(), TASKS, episodes=3, key=KEY)
    assert evaluation.path == ()
    assert evaluation.metric == "squared_error"
    assert not evaluation.transductive


def test_before_adaptation_classes_are_guessed():
    points = jnp.asarray(np.random.default_rng(0).normal(size=(8, 4, 2)), jnp.float32)
    tasks = qs.Episodes(points, ways=4, shots=1, queries=2)
    learner = qs.Prototypical(qs.MLP(2, (4,), key=KEY))
    evaluation = qs.evaluate(learner, tasks, episodes=4, key=KEY)
    assert evaluation.metric == "accuracy"
    assert evaluation.before.mean == 0.25


def test_json(evaluation):
    found = json.loads(json.dumps(evaluation.to_json()))
    assert found["episodes"] == 6
    assert found["after"] == {
        "mean": evaluation.after.mean,
        "interval": evaluation.after.interval,
    }
    assert len(found["path"]) == 5


@pytest.mark.parametrize("episodes", [0, -1])
def test_no_episodes(episodes):
    with pytest.raises(qs.BadInput, match=f"episodes is {episodes}"):
        qs.evaluate(maml(), TASKS, episodes=episodes, key=KEY)


def test_tasks_that_the_learner_cannot_take():
    points = jnp.zeros((8, 4, 1))
    tasks = qs.Episodes(points, ways=4, shots=1, queries=2)
    with pytest.raises(qs.BadInput, match=r"MAML.*1 outputs.*ways 4"):
        qs.evaluate(maml(), tasks, episodes=2, key=KEY)
