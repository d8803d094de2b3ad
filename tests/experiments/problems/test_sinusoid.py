"""Sinusoids as a problem: more points in training than in tests."""

import quickstudy as qs
from quickstudy.experiments.networks import MLPConfig
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.learners.losses import squared_error

PROBLEM = SinusoidCurves(shots=6, queries=7, test_shots=3, test_queries=4)


def test_tests_have_points_of_their_own_number():
    for split in ("train", "validation"):
        assert PROBLEM.training_tasks(split, Source()) == qs.Sinusoid(shots=6, queries=7)
    assert PROBLEM.tasks("test", Source()) == qs.Sinusoid(shots=3, queries=4)
    assert PROBLEM.data() == "sinusoid, 3 support points"


def test_evaluate_changes_the_test_s_and_not_the_training_s():
    changed = PROBLEM.changed({"shots": 9, "queries": 8})
    assert (changed.test_shots, changed.test_queries) == (9, 8)
    assert (changed.shots, changed.queries) == (6, 7)


def test_it_is_regression_of_one_number():
    assert (PROBLEM.inputs, PROBLEM.outputs, PROBLEM.classification) == ((1,), 1, False)
    assert PROBLEM.loss is squared_error
    assert PROBLEM.network == MLPConfig(width=40, layers=2)
    assert PROBLEM.reads() == "inputs of size 1 with numbers as targets"
