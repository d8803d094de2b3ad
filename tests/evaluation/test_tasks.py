"""Evaluation: the interval by hand, the path of adaptation, and the same tasks for everybody."""

import json
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.evaluation.calibration_error import expected_calibration_error
from quickstudy.evaluation.tasks import evaluate
from quickstudy.learners.losses import score
from quickstudy.mesh import map_over_tasks

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


def test_inputs_that_the_network_cannot_read():
    learner = qs.MAML(qs.MLP(2, (8, 1), key=KEY), loss=qs.squared_error)
    said = r"MAML cannot take tasks whose inputs are \[3, 1\]: dot_general"
    with pytest.raises(qs.BadInput, match=said):
        qs.evaluate(learner, qs.Sinusoid(shots=3), episodes=2, key=KEY)
    with pytest.raises(qs.BadInput, match=said):
        qs.train(learner, (tasks := qs.Sinusoid(shots=3)), validation=tasks, key=KEY)


POINTS = np.random.default_rng(0).normal(size=(6, 8, 2)).astype(np.float32)
EPISODES = qs.Episodes(POINTS, ways=3, shots=1, queries=4, names=tuple("abcdef"))


def prototypical():
    return qs.Prototypical(qs.MLP(2, (4,), key=KEY))


def maml_of_classes():
    return qs.MAML(qs.MLP(2, (8, 3), key=KEY), inner_lr=0.5, steps=2)


@eqx.filter_jit
def only_scores(learner, tasks, key, sizes):
    """What `evaluate` computed before it kept more than scores."""
    episodes, steps = sizes
    fixed, rest = eqx.partition((learner, tasks), eqx.is_array)

    def one(fixed, key):
        learner, tasks = eqx.combine(fixed, rest)
        sample_key, adapt_key = jax.random.split(key)
        task = tasks.sample(sample_key)

        def score_of(predictor):
            return score(predictor(task.query.x), task.query)

        before = score_of(learner.unadapted(task.support))
        after = score_of(learner.adapt(task.support, key=adapt_key))
        passed = learner.adapt_by_steps(task.support, steps)
        path = jnp.zeros(0) if passed is None else jax.lax.map(score_of, passed)
        return before, after, path

    return map_over_tasks(one, fixed, key, episodes)


@pytest.mark.parametrize(
    ("learner", "tasks"),
    [(prototypical(), EPISODES), (maml_of_classes(), EPISODES), (maml(), TASKS)],
)
def test_figures_do_not_depend_on_what_else_is_kept(learner, tasks):
    """To the bit."""
    found = evaluate(learner, tasks, episodes=9, key=KEY, path_steps=3)
    before, after, path = map(np.asarray, only_scores(learner, tasks, KEY, (9, 3)))
    assert found.after == qs.Estimate.of(after)
    assert found.before == qs.Estimate.of(before)
    assert found.path == tuple(map(qs.Estimate.of, path.T))
    assert np.array_equal(np.array(found.scores, np.float32), after)


def answers_by_hand(learner, tasks, episodes):
    """Probabilities `[n, ways]`, labels and names of classes of all queries, task by task."""
    given, y, names = [], [], []
    for i in range(episodes):
        sample_key, adapt_key = jax.random.split(jax.random.fold_in(KEY, i))
        task, classes = tasks.draw(sample_key)
        outputs = learner.adapt(task.support, key=adapt_key)(task.query.x)
        given.append(np.asarray(jax.nn.softmax(outputs)))
        y.append(np.asarray(task.query.y))
        names += [tasks.class_name(int(classes[label])) for label in task.query.y]
    return np.concatenate(given), np.concatenate(y), np.array(names)


class Flat(eqx.Module):
    """Pixels as features."""

    def __call__(self, x):
        return x.reshape(x.shape[0], -1)


@pytest.mark.parametrize("turns", [1, 4])
def test_classes_and_calibration_by_a_plain_loop(turns):
    images = np.random.default_rng(1).integers(0, 256, (4, 5, 3, 3), np.uint8)
    tasks = qs.Episodes(images, ways=3, shots=1, queries=4, turns=turns)
    learner = qs.Prototypical(Flat())
    found = evaluate(learner, tasks, episodes=7, key=KEY)
    given, y, names = answers_by_hand(learner, tasks, 7)
    assert found.ece == pytest.approx(expected_calibration_error(given, y), rel=1e-4)
    right = given.argmax(1) == y
    wanted = {n: (right[names == n].mean(), (names == n).sum()) for n in np.unique(names)}
    assert {one.name: (one.accuracy, one.answers) for one in found.classes} == wanted
    accuracies = [one.accuracy for one in found.classes]
    assert accuracies == sorted(accuracies)
    assert len(set(accuracies)) > 1


def test_scores_from_0_to_1_are_no_logits():
    """A relation of 1 to its class and 0 to the others is sure of itself."""

    class Relates(qs.Learner):
        bounded_scores = True

        def adapt(self, support, *, key=None):
            return lambda x: jax.nn.one_hot(jnp.zeros(x.shape[0], int), support.outputs)

    found = evaluate(Relates(), EPISODES, episodes=5, key=KEY)
    assert found.after.mean == pytest.approx(1 / 3)
    assert found.ece == pytest.approx(2 / 3, abs=1e-4)


def test_padding_is_no_answer():
    """Tasks of two classes, as if there were no third."""
    learner, most = prototypical(), qs.Episodes(POINTS, ways=3, shots=2, queries=4)
    tasks = qs.Varying(most, ways=2)
    found = evaluate(learner, tasks, episodes=6, key=KEY)
    given, y = [], []
    for i in range(6):
        task = tasks.sample(jax.random.split(jax.random.fold_in(KEY, i))[0])
        outputs = jnp.where(task.query.present, learner.adapt(task.support)(task.query.x), -jnp.inf)
        real = np.asarray(task.query.real)
        given.append(np.asarray(jax.nn.softmax(outputs))[real])
        y.append(np.asarray(task.query.y)[real])
    wanted = expected_calibration_error(np.concatenate(given), np.concatenate(y))
    assert len(np.concatenate(y)) < 6 * 12
    assert found.ece == pytest.approx(wanted, rel=1e-4)
    assert found.classes == (), "these tasks do not say which class is behind a label"


class Halved(eqx.Module):
    """Tasks of which every other query is padding, of classes that are there."""

    def sample(self, key):
        task = EPISODES.sample(key)
        real = jnp.arange(len(task.query)) % 2 == 0
        return qs.Task(task.support, qs.Examples(task.query.x, task.query.y, 3, real))


class Certain(qs.Learner):
    """Sure that everything is of the first class."""

    def adapt(self, support, *, key=None):
        return lambda x: jnp.broadcast_to(jnp.array([[50.0, 0.0, 0.0]]), (x.shape[0], 3))


def test_padding_that_is_answered_rightly_counts_for_nothing():
    """The share of real queries of class 0, of which it is certain, and the gap to 1."""
    found = evaluate(Certain(), Halved(), episodes=8, key=KEY)
    assert 0 < found.after.mean < 1
    assert found.ece == pytest.approx(1 - found.after.mean, rel=1e-5)


def test_regression_has_no_classes(evaluation):
    assert evaluation.ece is None
    assert evaluation.classes == ()


class Recoded(qs.Episodes):
    """Labels in another order than those that are drawn."""

    def sample(self, key):
        task = super().sample(key)
        return qs.Task(*(qs.Examples(e.x, 2 - e.y, 3) for e in (task.support, task.query)))


def test_tasks_that_sample_in_a_way_of_their_own():
    tasks = Recoded(POINTS, ways=3, shots=1, queries=4)
    found = evaluate(prototypical(), tasks, episodes=4, key=KEY)
    assert found.classes == ()


def worst(outputs, y):
    """The largest error: no mean over examples."""
    return jnp.max(jnp.abs(outputs - y))


def test_a_metric_of_one_s_own():
    found = evaluate(maml(), TASKS, episodes=4, key=KEY, path_steps=2, metric=worst)
    assert found.metric == "worst"
    wanted = []
    for i in range(4):
        task = TASKS.sample(jax.random.split(jax.random.fold_in(KEY, i))[0])
        outputs = maml().adapt(task.support)(task.query.x)
        wanted.append(np.max(np.abs(outputs - task.query.y)))
    assert found.scores == pytest.approx(wanted, rel=1e-4)
    assert found.path[2].mean == pytest.approx(found.after.mean, rel=1e-6)
    assert found.before.mean != pytest.approx(found.after.mean, rel=1e-3)


def test_a_metric_that_says_yes_or_no():
    found = evaluate(maml(), TASKS, episodes=4, key=KEY, metric=lambda o, y: jnp.all(o < 99))
    assert found.scores == (1.0,) * 4


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (lambda outputs, y: outputs - y, r"<lambda> gives \(3, 1\): it must give one number"),
        (lambda outputs, y: "good", "<lambda> gives str"),
        (lambda outputs, y: np.mean(np.array(outputs)), "jax.numpy instead of NumPy"),
        (lambda outputs, y: 1.0 if outputs.sum() > 0 else 0.0, "without `if` on values"),
        (lambda outputs: 1.0, r"outputs \[3, 1\] and the y \[3, 1\] .* raised TypeError"),
        (lambda outputs, y: jnp.mean(outputs @ y), "raised TypeError: .*must give one number"),
        (lambda outputs, y: jnp.mean(outputs) * 1j, "gives a complex number"),
    ],
)
def test_a_metric_that_cannot_be(metric, said):
    with pytest.raises(qs.BadInput, match=said):
        evaluate(maml(), TASKS, episodes=4, key=KEY, metric=metric)


def test_compiled_once():
    traced = []

    class Counts(qs.Learner):
        def adapt(self, support, *, key=None):
            traced.append(key)
            return lambda x: jnp.zeros((x.shape[0], support.outputs))

    for seed in range(3):
        evaluate(Counts(), EPISODES, episodes=4, key=jax.random.key(seed))
    assert len(traced) == 2  # for its shapes, and to compile it
