"""Tests of learners: on how many tasks, and for which numbers of shots."""

import jax
import pytest

import quickstudy as qs
from quickstudy.errors import DataError
from quickstudy.evaluation.estimates import Estimate
from quickstudy.experiments import learner_tests as module
from quickstudy.experiments.learner_tests import SHOTS, evaluate_learner, task_sections
from quickstudy.experiments.method import TEST_SEED
from quickstudy.experiments.method import Test as Asking
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from references.results import an_evaluation
from references.small_problems import CURVES

LEARNER = qs.MAML(qs.MLP(1, (3, 1), key=jax.random.key(0)), loss=qs.squared_error)


@pytest.fixture
def asked(monkeypatch):
    """What is evaluated: support points, tasks, and what else."""
    found = []

    def evaluate(learner, tasks, *, episodes, key, **more):
        assert jax.random.key_data(key).tolist() == [0, TEST_SEED]
        found.append((tasks.shots, episodes, more))
        return an_evaluation(after=Estimate(float(tasks.shots), 0.0), episodes=episodes)

    monkeypatch.setattr(module, "evaluate", evaluate)
    return found


def test_the_tasks_of_the_problem_and_then_each_number_of_shots(asked):
    result = evaluate_learner(LEARNER, CURVES, Asking("maml-sinusoid"))
    assert asked[0] == (5, 1000, {})
    assert asked[1:] == [(shots, module.MOST, {"path_steps": 0}) for shots in SHOTS]
    assert {shots: found.mean for shots, found in result.shots.items()} == {n: n for n in SHOTS}
    assert (result.recipe, result.data) == ("maml-sinusoid", "sinusoid, 5 support points")


def test_fewer_tasks_and_no_curves_where_they_are_asked_for(asked):
    result = evaluate_learner(LEARNER, CURVES, Asking("x", "validation", episodes=7))
    assert [episodes for _, episodes, _ in asked] == [7] * (1 + len(SHOTS))
    asked.clear()
    evaluate_learner(LEARNER, CURVES, Asking("x", curves=False))
    assert len(asked) == 1
    assert result.split == "validation"


def test_numbers_of_shots_that_do_not_fit_are_passed_over(asked):
    class AtMostThree(qs.MAML):
        def check(self, task):
            if len(task.support) in (5, 10):
                raise qs.BadInput("too many")

    class Shy(SinusoidCurves):
        test_shots = 2

    learner = AtMostThree(LEARNER.model, loss=qs.squared_error)
    found = evaluate_learner(learner, Shy(test_shots=2), Asking("x"))
    assert set(found.shots) == {1, 2, 3}


def test_a_learner_that_cannot_take_the_tasks_is_refused(asked):
    with pytest.raises(qs.BadInput, match="needs class labels"):
        evaluate_learner(qs.Prototypical(LEARNER.model), CURVES, Asking("x"))
    assert not asked


def test_data_that_are_gone_leave_a_note(monkeypatch):
    def gone(self, split, source):
        raise DataError("the folder is gone")

    monkeypatch.setattr(GlyphImages, "tasks", gone)
    (section,) = task_sections(LEARNER, GlyphImages(), Asking("x"))
    assert "the folder is gone" in str(section.blocks[0])
