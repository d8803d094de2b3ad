"""What is earned in many trials, beside what others earn in the same MDPs."""

import json

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import TrialEvaluation
from quickstudy.evaluation.trials import acting, evaluate_earnings, same_tasks
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


def test_what_is_expected_of_every_episode_counts_for_each():
    trial = qs.Trial(Corridor(), episodes=3)
    found = same_tasks(trial, lambda tasks, key: tasks)(KEY, 4)
    np.testing.assert_array_equal(found, np.repeat(np.asarray(found)[:, :1], 3, axis=1))
    assert found.shape == (4, 3)


@pytest.mark.parametrize(("stage", "wanted"), [("episode", [1, 0, 2]), ("update", [0, 0, 1])])
def test_differences_to_references_are_paired(stage, wanted):
    """Of whole trials, or after the last update: what trials have in common cancels."""
    low = np.array([[10.0, 20.0], [5.0, 7.0], [1.0, 90.0]])
    high = low + np.array([[1, 0], [0, 0], [1, 1]])
    beside = {"low": lambda key, trials: low, "same": lambda key, trials: high}
    found = evaluate_earnings(
        lambda key, trials: high, trials=3, key=KEY, references=beside, stage=stage
    )
    assert found.ahead["low"] == Estimate.of(np.array(wanted, float))
    assert found.ahead["same"] == Estimate(0.0, 0.0)
    assert TrialEvaluation.from_json(json.loads(json.dumps(found.to_json()))) == found


RETURNS = np.array([[1.0, 2.0], [3.0, 5.0], [0.0, 0.5]], np.float32)


@pytest.mark.parametrize(
    ("stage", "wanted"), [("episode", (3.0, 8.0, 0.5)), ("update", (2.0, 5.0, 0.5))]
)
@pytest.mark.parametrize("earned", [RETURNS, Earned(RETURNS, RETURNS)])
def test_of_a_whole_trial_or_after_the_last_update(stage, wanted, earned):
    found = evaluate_earnings(lambda *_: earned, trials=3, key=KEY, stage=stage)
    assert found.scores == wanted


def test_their_mean_is_the_policy_s():
    trial = qs.Trial(qs.Bandit(arms=2), episodes=3)
    found = qs.evaluate_policy(qs.Random(trial.environment), trial, trials=20, key=KEY)
    assert qs.Estimate.of(np.array(found.scores)).mean == pytest.approx(found.policy.total.mean)
    assert len(found.scores) == 20
