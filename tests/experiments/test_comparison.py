"""Runs are compared on equal tasks alone, and a refusal names what differs."""

import dataclasses
import json
import shlex

import pytest

from quickstudy.errors import BadInput
from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import Returns, TrialEvaluation
from quickstudy.experiments.comparison import compared
from quickstudy.writing import write_json
from references.results import a_learner_result, a_policy_result, an_evaluation

SCORES = (0.5, 0.75, 1.0)
OF_GLYPHS = {"on": "glyphs", "split": "test", "episodes": 3, "seed": 1,
             "settings": {"ways": 5, "shots": 1, "queries": 5}}  # fmt: skip
OF_GRID = {"on": "maze", "split": "test", "episodes": 3, "seed": 1,
           "settings": {"size": 5, "trial_episodes": 2, "in_a_row": 1}}  # fmt: skip


def learner_result(scores=SCORES, metric="accuracy", tasks=OF_GLYPHS):
    return a_learner_result(an_evaluation(scores=scores, metric=metric, episodes=3), tasks=tasks)


def policy_result(scores=SCORES, tasks=OF_GRID):
    earned = Returns(Estimate(1.0, 0.1), (Estimate(1.0, 0.1),))
    return a_policy_result(TrialEvaluation(earned, {}, 3, scores=scores), tasks=tasks)


def changed(tasks, **settings):
    own = {name: settings.pop(name) for name in list(settings) if name in tasks}
    return {**tasks, **own, "settings": {**tasks["settings"], **settings}}


@pytest.fixture
def run(tmp_path):
    """A run's folder with results."""

    def make(name, **results):
        for test, result in results.items():
            file = tmp_path / name / f"evaluation-{test.replace('_', '-')}.json"
            write_json(file, result.to_json())
        return tmp_path / name

    return make


def refused(*paths):
    with pytest.raises(BadInput) as error:
        compared(paths)
    return str(error.value)


def test_better_is_more_accuracy_and_less_error(run):
    accurate = [learner_result(), learner_result((0.5, 0.5, 0.5))]
    a, b = (run(name, test=one) for name, one in zip("ab", accurate, strict=True))
    found = compared([a, b, a]).to_json()["runs"]
    assert [found[1][n] for n in ("better", "equal", "worse")] == [0, 1, 2]
    assert [found[2][n] for n in ("better", "equal", "worse")] == [0, 3, 0]
    assert found[1]["difference"]["mean"] == -0.25
    a, b = (
        run(name, test=dataclasses.replace(
            one, evaluation=dataclasses.replace(one.evaluation, metric="squared_error")))
        for name, one in zip("cd", accurate, strict=True)
    )  # fmt: skip
    found = compared([a, b])
    other = found.to_json()["runs"][1]
    assert [other[n] for n in ("better", "equal", "worse")] == [2, 1, 0]
    assert "less is better" in found.facts()[0]


def test_the_table_shows_each_run_beside_the_first(run):
    a, b = run("a", test=learner_result()), run("b", test=learner_result((0.5, 0.5, 0.5)))
    first, second = compared([a, b]).grid().rows
    assert first[0] == str(a)
    assert first[2:] == ("75.00 ± 28.29 %", "", "")
    assert second[2:] == ("50.00 ± 0.00 %", "-25.00 ± 28.29 points", "0 / 1 / 2")


def test_the_test_on_the_first_s_tasks_is_chosen(run):
    """Of any of both runs' tests; of equal ones, that of the shortest name."""
    twenty = changed(OF_GLYPHS, ways=20)
    a = run("a", test=learner_result(), test_20_way=learner_result(tasks=twenty))
    b = run("b", test=learner_result(tasks=twenty), test_5_way=learner_result(),
            test_2_test_inner_steps_5_way=learner_result())  # fmt: skip
    found = compared([a, b])
    assert [one.file.name for one in found.tests] == [
        "evaluation-test.json", "evaluation-test-5-way.json"
    ]  # fmt: skip
    assert [row[0] for row in found.grid().rows] == [str(a), f"{b} (test-5-way)"]
    c = run("c", test=learner_result(tasks=twenty))
    assert compared([a, c]).tests[0].file.name == "evaluation-test-20-way.json"
    file = b / "evaluation-test-2-test-inner-steps-5-way.json"
    assert compared([a, file]).tests[1].file == file


@pytest.mark.parametrize(
    ("settings", "said", "flags"),
    [
        ({"ways": 20}, "ways 20 instead of 5", "--ways 5"),
        ({"shots": 5, "episodes": 9}, "episodes 9 instead of 3, shots 5 instead of 1",
         "--episodes 3 --shots 1"),
        ({"split": "validation"}, "split validation instead of test", "--split test"),
        ({"on": "omniglot", "protocol": "finn2017"},
         "on omniglot instead of glyphs, protocol finn2017 instead of none", "--on glyphs"),
    ],
)  # fmt: skip
def test_other_tasks_are_refused_with_a_command(run, settings, said, flags):
    a, b = run("a", test=learner_result()), run("b", test=learner_result(
        tasks=changed(OF_GLYPHS, **settings)))  # fmt: skip
    told = refused(a, b)
    assert said in told
    assert told.endswith(f"quickstudy evaluate {b} {flags}")


@pytest.mark.parametrize("settings", [{"seed": 2}, {"warped": 3}, {"seed": 2, "ways": 20}])
def test_what_no_flag_changes_has_no_command(run, settings):
    a = run("a", test=learner_result())
    b = run("b", test=learner_result(tasks=changed(OF_GLYPHS, **settings)))
    assert "No flag of `quickstudy evaluate` changes that" in refused(a, b)
    assert "No flag" in refused(b, a)


def test_contents_of_which_an_older_version_kept_less_accuse_nobody(run):
    old, new, other = (changed(OF_GLYPHS, contents=one) for one in ("ab", "ab-12", "ab-34"))
    a, b, c = (run(n, test=learner_result(tasks=t)) for n, t in zip("abc", (old, new, other),
                                                                    strict=True))  # fmt: skip
    assert len(compared([a, b]).tests) == 2
    assert "contents ab-34 instead of ab-12" in refused(b, c)
    b = run("d", test=learner_result(tasks=changed(new, ways=3)))
    assert ": ways 3 instead of 5. To test" in refused(a, b)


def test_a_folder_with_a_space_is_quoted(run):
    photographs = changed(OF_GLYPHS, on="/no/my photos")
    a, b = run("a", test=learner_result()), run("b c", test=learner_result(tasks=photographs))
    command = refused(a, b).partition("quickstudy evaluate ")[2]
    assert shlex.split(command) == [str(b), "--on", "glyphs"]


def test_policies_in_the_same_trials(run):
    a, b = run("a", test=policy_result()), run("b", test=policy_result((1.0, 1.0, 1.0)))
    found = compared([a, b])
    assert found.grid().head[2] == "reward"
    assert found.grid().rows[1][3:] == ("+0.25 ± 0.28", "2 / 1 / 0")
    c = run("c", test=policy_result(tasks=changed(OF_GRID, size=9)))
    assert refused(a, c).endswith(f"quickstudy evaluate {c} --size 5")
    in_updates = {**OF_GRID, "settings": {"size": 5, "updates": 3, "in_a_row": 1}}
    d = run("d", test=policy_result(tasks=in_updates))
    assert "No flag" in refused(a, d)


def test_names_of_tasks_of_two_forms_are_no_difference(run):
    names = ("0123", "2-4567", "2-89ab")
    a, b, c = (
        run(name[-1], test=policy_result(tasks=changed(OF_GRID, first_tasks=name)))
        for name in names
    )
    assert len(compared([a, b]).tests) == 2
    assert "first_tasks 2-89ab instead of 2-4567" in refused(b, c)


def test_rewards_and_accuracies_cannot_be_compared(run):
    a, b = run("a", test=learner_result()), run("b", test=policy_result())
    assert "holds accuracy and" in refused(a, b)
    assert "learn the same problem" in refused(a, b)


@pytest.mark.parametrize("result", [learner_result(), policy_result()])
def test_files_of_an_older_version_have_no_scores(run, result):
    a = run("a", test=result)
    file = run("b", test=result) / "evaluation-test.json"
    older = json.loads(file.read_text())
    del older["scores"], older["tasks"]
    write_json(file, older)
    assert refused(a, file.parent).endswith(f"anew: quickstudy evaluate {file.parent}")
