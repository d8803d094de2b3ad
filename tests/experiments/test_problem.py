"""What decides the test tasks, as files note it."""

from dataclasses import replace

import pytest

from quickstudy.experiments.networks import EfficientNetLite0Config
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.encoded import as_encoded
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from references.own_code import folder_of_classes


@pytest.mark.parametrize(
    ("name", "changed", "same"),
    [
        ("glyphs", {"fewest_ways": 2, "fewest_shots": 1}, True),
        ("glyphs", {"queries": 3}, False),
        ("omniglot", {"protocol": "finn2017"}, False),
        ("emoji", {"size": 64}, True),
        ("sinusoid", {"shots": 3, "queries": 3}, True),
        ("sinusoid", {"test_shots": 3}, False),
        ("bandit", {"episodes": 3}, True),
        ("bandit", {"arms": 3}, False),
        ("cheetah", {"sees": "task", "processes": 2}, True),
        ("cheetah", {"aim": "direction"}, False),
    ],
)
def test_settings_of_training_or_of_reading_change_no_task(name, changed, same):
    problem = find_problem(name)
    found = replace(problem, **changed).test_tasks("test")
    assert (found == problem.test_tasks("test")) is same


def test_settings_have_the_names_of_flags():
    assert SinusoidCurves(test_shots=3).test_tasks("test") == {
        "on": "sinusoid", "settings": {"shots": 3, "queries": 100}
    }  # fmt: skip


def test_classes_of_a_folder_count_however_they_were_divided(tmp_path):
    folder = folder_of_classes(tmp_path / "birds", classes=9, colour=True)
    problem = replace(find_problem(str(folder)), ways=3).prepared(Source())
    tasks = problem.test_tasks("test")
    assert tasks["on"] == str(folder)
    assert replace(problem, split_seed=5, size=12).test_tasks("test") == tasks
    assert as_encoded(problem, EfficientNetLite0Config()).test_tasks("test") == tasks
    assert problem.test_tasks("validation") != tasks
    other = replace(problem, train=(), validation=(), test=(), split_seed=5).prepared(Source())
    assert other.test != problem.test
    assert other.test_tasks("test") != tasks
