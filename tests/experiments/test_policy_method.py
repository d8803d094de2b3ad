"""What methods that act share: how they are tested, and what is shown of them."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import TEST_SEED
from quickstudy.experiments.method import Test as Asking
from quickstudy.experiments.methods.maml_rl import MAMLPolicyConfig
from quickstudy.experiments.methods.rl2 import RL2Config
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.bandit import BanditFamily

PROBLEM = BanditFamily(arms=2, trial_episodes=3)


class Earning(RL2Config):
    """Pays the number of the episode in every trial, whatever was learned."""

    def earning(self, problem, learned, trial, acts="drawn"):
        def returns(key, trials):
            assert jax.random.key_data(key).tolist() == [0, TEST_SEED]
            assert learned == "learned"
            return np.tile(np.arange(1.0, trial.episodes + 1), (trials, 1))

        return returns

    def references(self, problem, trial, seed, acts="drawn"):
        return {"nothing": lambda key, trials: np.zeros((trials, trial.episodes))}


def test_a_result_has_rewards_references_and_the_name_of_the_family():
    found = Earning().evaluate(PROBLEM, "learned", Asking("rl2-bandit", "validation", 5), Budget())
    assert (found.recipe, found.data, found.split) == ("rl2-bandit", PROBLEM.data(), "validation")
    assert found.definition == {
        "environment": "Bandit-v1",
        "actions": "drawn from the policy",
    }
    evaluation = found.evaluation
    assert (evaluation.trials, evaluation.stage) == (5, "episode")
    assert [episode.mean for episode in evaluation.policy.episodes] == [1, 2, 3]
    assert evaluation.policy.total.mean == 6
    assert evaluation.references["nothing"].total.mean == 0


def test_as_many_trials_as_the_problem_says():
    assert Earning().own_episodes(PROBLEM) == PROBLEM.test_trials == 10_000


def test_what_is_drawn_side_by_side_has_the_same_stages():
    assert Earning().compared_by(PROBLEM) == ("episode", 3)
    updates = MAMLPolicyConfig().compared_by(PROBLEM)
    assert updates[0] == "update"
    assert updates != Earning().compared_by(PROBLEM)


@pytest.mark.parametrize("name", ["validation_episodes", "steps", "validate_every"])
def test_a_budget_that_cannot_be_fails_before_a_run(name):
    budget = replace(Budget(steps=2, meta_batch=4), **{name: 0})
    with pytest.raises(qs.BadInput, match=name):
        RL2Config().training(PROBLEM, budget, Source())


def test_the_host_is_closed_when_training_ends(monkeypatch):
    class Closing(BanditFamily):
        def closing(self, host):
            closed.append(host)
            return super().closing(host)

    def fit(algorithm, plan, *, key, **where):
        raise RuntimeError("mine")

    closed = []
    monkeypatch.setattr("quickstudy.training.fit.fit", fit)
    trainer = RL2Config().training(Closing(), Budget(steps=2, meta_batch=4), Source())
    with pytest.raises(RuntimeError, match="mine"):
        trainer()
    assert closed == [None]


def test_a_family_that_nobody_has_drawn_leaves_a_note(tmp_path, monkeypatch):
    def play(*given):
        raise qs.BadInput("nobody has drawn it")

    monkeypatch.setattr(RL2Config, "play", play)
    test = Asking("rl2-bandit")
    (section,) = RL2Config().pictures(PROBLEM, None, Budget(), tmp_path, test)
    assert "nobody has drawn it" in str(section.blocks)
    monkeypatch.setattr(RL2Config, "play", lambda *given: tmp_path / "a.svg")
    (section,) = RL2Config().pictures(PROBLEM, None, Budget(), tmp_path, test)
    assert "a.svg" in str(section.blocks[0])
    assert "--trial 1" in str(section.blocks[1])
