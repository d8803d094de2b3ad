"""What is earned in many trials, beside what others earn in the same MDPs."""

import json

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.evaluation.trials import (
    Returns,
    TrialEvaluation,
    acting,
    evaluate_earnings,
    same_tasks,
)
from quickstudy.experiments.policy_result import heads
from quickstudy.rl.rollout import Earned
from references.always import Always
from references.corridor import Corridor

KEY = jax.random.key(0)


def test_lengths_are_told_where_episodes_end_early():
    """Walkers that never stop end after as many steps as their corridor is long."""
    trial = qs.Trial(Corridor(), episodes=2)
    still = {"still": acting(Always(0), trial)}
    found = qs.evaluate_policy(Always(1), trial, trials=32, key=KEY, references=still)
    assert 1 < found.policy.lengths[0].mean < 3
    assert found.policy.lengths[1] == found.policy.lengths[0]
    assert found.references["still"].lengths[0].mean == 4
    assert TrialEvaluation.from_json(found.to_json()) == found
    assert heads(found)[-1].startswith("steps")
    without = TrialEvaluation(found.references["still"], {}, 32)
    assert heads(without)[-1] == "last episode"


def test_returns_of_a_trial_and_of_its_episodes():
    """Trials of (1, 2) and (3, 6): totals 3 and 9, episodes of 2 and 4."""
    found = Returns.of(np.array([[1.0, 2.0], [3.0, 6.0]]))
    assert found.total.mean == 6
    assert [episode.mean for episode in found.episodes] == [2, 4]
    assert found.lengths == ()
    both = Returns.of(Earned(np.array([[1.0], [3.0]]), np.array([[4.0], [5.0]])))
    assert [length.mean for length in both.lengths] == [4.5]


def test_everybody_meets_the_same_mdps():
    """What earns and what it is compared with are given one key and one number."""
    asked = []

    def earning(key, trials):
        asked.append((int(jax.random.randint(key, (), 0, 10**6)), trials))
        return np.ones((trials, 2))

    found = evaluate_earnings(
        earning, trials=3, key=KEY, references={"other": earning}, stage="update"
    )
    assert asked == [asked[0]] * 2
    assert (found.trials, found.stage) == (3, "update")
    assert TrialEvaluation.from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises(qs.BadInput, match="trials is 0"):
        evaluate_earnings(earning, trials=0, key=KEY)


def test_files_of_before_have_no_lengths_and_no_stage():
    value = TrialEvaluation(Returns.of(np.ones((3, 2))), {}, 3).to_json()
    del value["stage"], value["policy"]["lengths"]
    found = TrialEvaluation.from_json(value)
    assert (found.stage, found.policy.lengths, found.ends_early) == ("episode", (), False)


def test_what_is_expected_of_every_episode_counts_for_each():
    trial = qs.Trial(Corridor(), episodes=3)
    found = same_tasks(trial, lambda tasks, key: tasks)(KEY, 4)
    np.testing.assert_array_equal(found, np.repeat(np.asarray(found)[:, :1], 3, axis=1))
    assert found.shape == (4, 3)
