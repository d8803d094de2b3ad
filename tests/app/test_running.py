"""What commands on a run share: the run or the paths come first, and help needs neither."""

from pathlib import Path

import pytest

import quickstudy as qs
from quickstudy.app.commands.evaluate import EvaluateOptions
from quickstudy.app.flags import flags_of
from quickstudy.app.running import elsewhere_in_tests, first_argument, paths_first

FLAGS = flags_of(EvaluateOptions())
PREDICT = {"usage": "predict FILE IMAGE ...", "flags": FLAGS, "least": 2, "about": "It answers."}


def test_the_run_is_the_first_argument():
    found = first_argument(
        ["a run", "--episodes", "3"], "evaluate RUN", EvaluateOptions, "It tests."
    )
    assert found == (Path("a run"), ["--episodes", "3"])


@pytest.mark.parametrize("arguments", [[], ["--episodes", "3", "run"]])
def test_without_a_run_it_is_said_what_is_wanted(arguments):
    with pytest.raises(qs.BadInput, match="name the run first: quickstudy export RUN, its folder"):
        first_argument(arguments, "export RUN FILE", EvaluateOptions, "It writes.")


def test_help_needs_no_run(capsys):
    with pytest.raises(SystemExit):
        first_argument(["--help"], "evaluate RUN", EvaluateOptions, "It tests.")
    text = capsys.readouterr().out
    assert "It tests. quickstudy evaluate RUN --help lists the settings of that run, too." in text
    assert "--episodes" in text


def test_paths_end_where_flags_begin():
    given = ["a", "b", "c", "--episodes", "3", "d"]
    paths, rest = paths_first(given, **PREDICT)
    assert paths == [Path("a"), Path("b"), Path("c")]
    assert rest == ["--episodes", "3", "d"]
    with pytest.raises(qs.BadInput, match="paths first, 2 or more: quickstudy predict FILE IMAGE"):
        paths_first(["a", "--episodes", "3"], **PREDICT)


def test_help_needs_no_paths(capsys):
    with pytest.raises(SystemExit):
        paths_first(["-h"], **PREDICT)
    assert "It answers." in capsys.readouterr().out


def test_a_test_does_not_read_the_training_s_settings():
    recipe = qs.find_recipe("maml-sinusoid")
    said = elsewhere_in_tests(recipe, recipe.problem)
    for flag in ("inner-lr", "steps", "meta-batch", "queries"):
        assert said[flag] == "it is a setting of the training, and stays as trained"
    assert "sinusoid reads no folder of data" in said["data"]
    assert "--on FOLDER" in said["data"]
    assert "arms" in said, "a setting of another problem"
