"""Promises that take a training to see: chance by hand, and a stop half-way."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.testing import training_check as module
from quickstudy.testing.subject import Subject
from quickstudy.testing.training_check import _mean_label, _StopAtTwo, better_than_chance
from references.clusters import Clusters, Right

KEY = jax.random.key(0)
X = jnp.zeros((3, 2))


def subject(learner):
    task, tasks = Clusters().sample(KEY), Clusters()
    return Subject(learner, tasks, tasks, qs.MetaPlan(), KEY, task, task)


def test_chance_is_the_mean_of_the_support_labels():
    """Of classes 0, 0, 1: 2/3, 1/3 and 0; of numbers their mean, for every query."""
    query = qs.Examples(jnp.zeros((2, 2)), jnp.array([0, 1]), 3)
    classes = qs.Task(qs.Examples(X, jnp.array([0, 0, 1]), 3), query)
    np.testing.assert_allclose(_mean_label(classes), [[2 / 3, 1 / 3, 0]] * 2, rtol=1e-6)
    numbers = qs.Examples(X, jnp.array([[1.0], [2.0], [6.0]]))
    assert _mean_label(qs.Task(numbers, numbers)).tolist() == [[3.0]] * 3


def test_who_starts_above_chance_passes_and_who_guesses_does_not(monkeypatch):
    """Training leaves each as it was."""
    monkeypatch.setattr(module, "EPISODES", 16)
    monkeypatch.setattr(module, "fit", lambda own, plan, key: SimpleNamespace(best=own.learner))
    better_than_chance(subject(Right()))

    class Guesses(Right):
        def adapt(self, support, *, key=None):
            return lambda x: jnp.sum(self.scale) * jnp.ones((x.shape[0], support.ways))

    with pytest.raises(AssertionError, match="its gain in accuracy is 0 ± 0"):
        better_than_chance(subject(Guesses()))


def test_training_is_stopped_after_two_steps():
    report = _StopAtTwo()
    report.update(1, {})
    with pytest.raises(module._Stopped):
        report.update(2, {})
