"""Evaluations are written and read back, those of older versions, too."""

import json
import math

import numpy as np

from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import ClassAccuracy, Evaluation, Returns, TrialEvaluation
from quickstudy.rl.rollout import Earned
from quickstudy.writing import write_json

SMALL = Evaluation("accuracy", Estimate(0.9, 0.1), Estimate(0.2, 0.0), (), 2, False)


def test_everything_comes_back(tmp_path):
    more = {"scores": (0.8, 1.0), "ece": 0.1, "classes": (ClassAccuracy("ä [x]", 0.5, 4),)}
    whole = Evaluation("accuracy", SMALL.after, SMALL.before, (SMALL.after,), 2, True, **more)
    write_json(tmp_path / "a.json", whole.to_json())
    assert Evaluation.from_json(json.loads((tmp_path / "a.json").read_text())) == whole


def test_a_score_that_is_not_finite_is_null(tmp_path):
    found = Evaluation("squared_error", SMALL.after, SMALL.before, (), 2, False, (math.inf, 1.0))
    write_json(tmp_path / "a.json", found.to_json())
    text = (tmp_path / "a.json").read_text()
    assert '"scores": [null, 1.0]' in text
    first, second = Evaluation.from_json(json.loads(text)).scores
    assert math.isnan(first)
    assert second == 1.0


def test_older_files_have_no_scores():
    older = {k: v for k, v in SMALL.to_json().items() if k not in ("scores", "ece", "classes")}
    assert Evaluation.from_json(older) == SMALL
    trials = TrialEvaluation(Returns.of(np.ones((3, 2))), {}, 3, "episode", (2.0, 2.0, 2.0))
    written = trials.to_json()
    assert TrialEvaluation.from_json(written) == trials
    del written["scores"], written["ahead"]
    older = TrialEvaluation.from_json(written)
    assert (older.scores, older.ahead) == ((), {})


def test_returns_of_a_trial_and_of_its_episodes():
    """Trials of (1, 2) and (3, 6): totals 3 and 9, episodes of 2 and 4."""
    found = Returns.of(np.array([[1.0, 2.0], [3.0, 6.0]]))
    assert found.total.mean == 6
    assert [episode.mean for episode in found.episodes] == [2, 4]
    assert found.lengths == ()
    both = Returns.of(Earned(np.array([[1.0], [3.0]]), np.array([[4.0], [5.0]])))
    assert [length.mean for length in both.lengths] == [4.5]


def test_files_of_before_have_no_lengths_and_no_stage():
    value = TrialEvaluation(Returns.of(np.ones((3, 2))), {}, 3).to_json()
    del value["stage"], value["policy"]["lengths"]
    found = TrialEvaluation.from_json(value)
    assert (found.stage, found.policy.lengths, found.ends_early) == ("episode", (), False)
