"""The score of each trial, which two policies are compared by."""

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.evaluation.trials import evaluate_earnings, evaluate_policy
from quickstudy.rl.rollout import Earned

KEY = jax.random.key(0)
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
    found = evaluate_policy(qs.Random(trial.environment), trial, trials=20, key=KEY)
    assert qs.Estimate.of(np.array(found.scores)).mean == pytest.approx(found.policy.total.mean)
    assert len(found.scores) == 20
