"""Rewards, regret, and their tables."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import Returns, TrialEvaluation
from quickstudy.experiments.policy_result import PolicyResult, actors, best_reference, regret
from quickstudy.experiments.sections import Chart
from references.results import a_policy_result


def updates():
    """Four stages of a policy that adapts, beside an untrained one."""
    earned = Returns.of(np.array([[1.25, 2.5, 3.125, 5.0]] * 3))
    return TrialEvaluation(earned, {"untrained": earned}, 3, "update")


def test_regret_adds_up_what_was_missed():
    """Episodes pay 2 and 3 on average, the best 9 each: 7 are missed, then 13."""
    earned, best = (Returns.of(x) for x in (np.arange(6.0).reshape(3, 2), np.full((3, 2), 9.0)))
    assert regret(earned, best) == [7.0, 13.0]
    found = TrialEvaluation(earned, {"low": Returns.of(np.zeros((3, 2))), "high": best}, 3)
    assert best_reference(found) == "high"
    assert best_reference(TrialEvaluation(earned, {}, 3)) is None
    rewards, missed = (chart for chart in a_policy_result(found).sections()[0].blocks[:2])
    assert [line.label for line in rewards.lines] == ["policy", "high", "low"]
    assert missed.title == "Reward missed so far, against high"
    assert [line.label for line in missed.lines] == ["policy", "low"]
    assert list(missed.lines[0].y) == [7.0, 13.0]


def test_the_table_has_the_policy_first_and_then_the_best():
    table = a_policy_result(definition={"environment": "Bandit-v1", "engine": "none"}).table()
    assert [str(column.header) for column in table.columns] == [
        "reward", "whole trial", "first episode", "last episode"]  # fmt: skip
    assert [str(cell) for cell in table.columns[0].cells] == ["policy", "optimum"]
    assert str(table.title) == "rl2-bandit on Bandit-v1, test tasks"
    for part in ("3, each in an MDP", "engine: none"):
        assert part in str(table.caption)


def test_listed_tasks_are_no_draws():
    told = a_policy_result(tasks={"settings": {"listed": 2}}).facts()
    assert told[0] == ("trials", "3, in 2 listed tasks in turn")


def test_the_distance_to_the_best_reference_is_told():
    """With its interval; where it was not measured, as in older files, nothing is."""
    found = a_policy_result().evaluation
    assert "−" not in str(a_policy_result(found).facts())
    told = replace(found, ahead={"optimum": Estimate(-1.5, 0.25)})
    assert ("policy − optimum", "-1.50 ± 0.25 in a whole trial, paired over trials") in (
        a_policy_result(told).facts()
    )
    told = replace(updates(), ahead={"untrained": Estimate(2.0, 0.5)})
    assert ("policy − untrained", "2.00 ± 0.50 after the last update, paired over tasks") in (
        a_policy_result(told).facts()
    )


def test_updates_are_no_trial():
    """Four stages of one policy that adapt are no trial, and their sum is nothing."""
    result = a_policy_result(updates())
    assert result.headline.figure == "1.25 ± 0 → 5 ± 0"
    assert "before and after 3 updates on 3 test tasks of Bandit-v1" in result.headline.said
    (section,) = result.sections()
    chart, grid, facts = section.blocks
    assert chart.title == "Reward of an episode before and after updates"
    assert list(chart.lines[0].x) == [0, 1, 2, 3]
    assert chart.x.label == "updates"
    assert grid.head == ("reward", "before", "1 update", "2 updates", "3 updates")
    assert facts.rows[0][0] == "tasks"
    for said in ("trial", "first episode", "missed so far", "11.88"):
        assert said not in str(section), said
    trial = a_policy_result()
    assert "reward of a trial of 2 episodes on 3 test trials of Bandit-v1" in trial.headline.said


def test_other_runs_are_drawn_beside():
    result = replace(a_policy_result(), beside={"never": Returns.of(np.full((3, 2), 7.125))})
    _, both, _, _, others, _ = result.sections()[0].blocks
    assert [line.label for line in both.lines] == ["this run", "never"]
    assert others.rows[0][:2] == ("never", "14.25 ± 0")
    assert "never" not in str(result.to_json())


def test_many_episodes_are_a_line_without_dots():
    """A hundred intervals would be a blot."""
    for many, style in ((25, "marked"), (26, "line")):
        found = TrialEvaluation(Returns.of(np.ones((3, many))), {}, 3)
        (line,) = a_policy_result(found).charts()[0].lines
        assert (line.style, len(line.bars)) == (style, many if style == "marked" else 0)


def test_other_evaluations_name_their_data():
    grid = a_policy_result().compared({"validation": a_policy_result(data="Bandit-v0")})
    assert grid.head[-2:] == ("data", "trials")
    assert grid.rows[0][-2:] == ("Bandit-v0", "3")


@pytest.mark.parametrize("evaluation", [None, updates()])
def test_what_is_written_can_be_read(evaluation):
    definition = {"environment": "Bandit-v1", "engine": "none"}
    result = a_policy_result(evaluation, definition=definition, options={"split": "test"})
    assert PolicyResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_references_are_ranked_by_what_the_policy_is_compared_by():
    """After the last update, or by the whole trial."""
    early, late = (Returns.of(np.array([x] * 3)) for x in ([9.0, 9.0, 1.0], [0.0, 0.0, 2.0]))
    for stage, best in (("update", "late"), ("episode", "early")):
        found = TrialEvaluation(early, {"early": early, "late": late}, 3, stage)
        assert best_reference(found) == best
        assert [name for name, _ in actors(found)][1] == best


def test_nothing_is_missed_against_random_actions():
    """They are no bound: a picture of regret would fall below zero."""
    earned, random = (Returns.of(np.full((3, 2), x)) for x in (2.0, 1.0))
    blocks = a_policy_result(TrialEvaluation(earned, {"random": random}, 3)).sections()[0].blocks
    assert [one.title for one in blocks if isinstance(one, Chart)] == ["Reward of each episode"]
