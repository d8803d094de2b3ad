"""Problems: how a test changes them, and how they are told in words."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

import quickstudy as qs
from quickstudy.experiments.networks import EfficientNetLite0Config, MLPConfig, NetworkConfig
from quickstudy.experiments.problem import ExampleProblem, Problem, Source, settings_of
from quickstudy.experiments.problems import find_problem, problem_of
from quickstudy.experiments.problems.bandit import BanditFamily
from quickstudy.experiments.problems.encoded import as_encoded
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.experiments.problems.omniglot import OmniglotImages
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.settings import Own
from quickstudy.learners.losses import cross_entropy, squared_error
from references.own_code import folder_of_classes
from references.small_problems import CURVES, POINTS


def test_a_test_takes_the_shape_of_another_problem_where_both_have_one():
    tested = OmniglotImages(protocol="finn2017").tested_as(GlyphImages(ways=7, shots=3))
    assert (tested.ways, tested.shots, tested.protocol) == (7, 3, "finn2017")
    curves = SinusoidCurves().tested_as(replace(GlyphImages(), shots=4))
    assert (curves.test_shots, curves.shots) == (4, 10), "under whatever name it has them"
    assert BanditFamily().tested_as(GlyphImages(ways=7)) == BanditFamily()


def test_flags_of_evaluate_change_the_fields_that_they_name():
    assert SinusoidCurves().changed({"shots": 4}).test_shots == 4
    with pytest.raises(KeyError):
        BanditFamily().changed({"shots": 4})


def test_the_loss_is_of_classes_or_of_numbers():
    assert POINTS.loss is cross_entropy
    assert CURVES.loss is squared_error


def test_where_there_are_no_classes():
    assert CURVES.training_classes is None
    with pytest.raises(qs.BadInput, match="sinusoid has no classes to pre-train on; choose images"):
        CURVES.classes(Source())


def test_in_words():
    assert settings_of(SinusoidCurves(shots=3, test_queries=9)) == "shots 3, test queries 9"
    assert settings_of(SinusoidCurves()) == ""
    assert GlyphImages().data() == "glyphs, 5-way 1-shot"
    assert POINTS.data() == "points"
    assert POINTS.reads() == "inputs of size 2 in classes"
    assert GlyphImages.spelled() == "glyphs"


def test_a_problem_of_one_s_own_is_called_by_its_class():
    @dataclass(frozen=True)
    class Lever(Problem):
        """One's own."""

    assert Lever.name == "lever"
    assert Lever().notes() == []
    assert Lever().prepared(Source()) == Lever()
    assert Lever.has == "something of your own"


@pytest.mark.parametrize(
    ("name", "changed", "same"),
    [
        ("glyphs", {"fewest_ways": 2, "fewest_shots": 1}, True),
        ("glyphs", {"queries": 3}, False),
        ("omniglot", {"protocol": "finn2017"}, False),
        ("emoji", {"size": 64}, True),
        ("sinusoid", {"shots": 3, "queries": 3}, True),
        ("sinusoid", {"test_shots": 3}, False),
        ("bandit", {"trial_episodes": 3}, True),
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


@dataclass(frozen=True)
class Whole(ExampleProblem):
    """All that a problem of one's own needs."""

    inputs: ClassVar[tuple[int, ...]] = (1,)
    outputs: ClassVar[int] = 1
    classification: ClassVar[bool] = False
    network: ClassVar[NetworkConfig] = MLPConfig()

    def tasks(self, split, source):
        return qs.Sinusoid()


def test_a_problem_that_lacks_something_is_refused_when_it_is_made():
    assert Whole().tasks("test", Source()) == qs.Sinusoid()

    @dataclass(frozen=True)
    class Unfinished(ExampleProblem):
        inputs: ClassVar[tuple[int, ...]] = (1,)
        classification: ClassVar[bool] = False

    with pytest.raises(TypeError, match="abstract methods network, outputs, tasks"):
        Unfinished()
    with pytest.raises(qs.BadInput, match=r"a.py:U: .* abstract methods network, outputs, tasks"):
        problem_of(Own("a.py:U", Unfinished))


def test_tasks_take_a_split_and_a_source():
    @dataclass(frozen=True)
    class Bare(Whole):
        def tasks(self):
            return qs.Sinusoid()

    with pytest.raises(
        qs.BadInput, match=r"tasks of Bare takes \(\); write def tasks\(self, split"
    ):
        Bare()
