"""The recipes of policies: their settings, and which of them may be compared."""

import pytest

from quickstudy.experiments.policy_method import PolicyMethod
from quickstudy.experiments.policy_recipes import POLICIES


@pytest.mark.parametrize("name", POLICIES)
def test_they_act(name):
    recipe = POLICIES[name]
    assert isinstance(recipe.method, PolicyMethod)
    assert name == f"{recipe.method.name}-{recipe.problem.name}"
    assert recipe.card.reaches != "no published figure", "a target, or that there is none"


def test_settings_of_papers_and_what_departs_from_them():
    bandit = POLICIES["rl2-bandit"]
    assert (bandit.method.discount, bandit.problem.trial_episodes, bandit.problem.arms) == (
        1.0,
        10,
        5,
    )
    assert POLICIES["rl2-gridnavi"].problem.trial_episodes == 4
    navigation = POLICIES["maml-navigation"]
    assert (navigation.method.inner_steps, navigation.budget.meta_batch) == (2, 20)
    assert navigation.method.outer.curvature_every == 4
    # Opposite directions cancel at first order, but for what the update changes: it is large.
    ant, cheetah = POLICIES["maml-ant"], POLICIES["maml-cheetah"]
    assert (ant.method.adapts.inner_lr, cheetah.method.adapts.inner_lr) == (1.0, 0.01)
    assert ant.method.outer.name == "promp"


def acted(name):
    """Trajectories of a whole training, in units of those of one task and one step."""
    recipe = POLICIES[name]
    return recipe.budget.steps * (getattr(recipe.method, "inner_steps", 0) + 1)


def test_navigation_is_learned_by_equally_many_steps_of_the_environment():
    """Before and after two updates are three times as many as once."""
    assert acted("maml-navigation") == acted("pretrained-navigation") == 600
    maml, rl2 = POLICIES["maml-navigation"], POLICIES["rl2-navigation"]
    one = maml.budget.meta_batch * maml.method.trajectories * 3
    assert rl2.budget.meta_batch * rl2.problem.trial_episodes == one == 1200
    assert rl2.budget.steps == maml.budget.steps


def test_baselines_stand_beside_the_same_problem():
    for problem in ("navigation", "cheetah", "ant"):
        maml, baseline = POLICIES[f"maml-{problem}"], POLICIES[f"pretrained-{problem}"]
        assert maml.problem == baseline.problem
        assert baseline.method.inner_steps == 0
