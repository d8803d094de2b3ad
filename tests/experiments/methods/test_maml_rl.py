"""MAML for RL as settings: every choice builds what it names, and what is tested is what was
trained, with other updates where they are asked for."""

import dataclasses

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.method import Test as Asking
from quickstudy.experiments.methods.maml_rl import MAMLPolicyConfig
from quickstudy.experiments.methods.policy_updates import AdaptsContextConfig
from quickstudy.experiments.pictures.watch import watch
from quickstudy.experiments.problems.plane import NavigationFamily
from quickstudy.rl.adapted import stages
from references.recipes import algorithm, typed

KEY = jax.random.key(0)


def test_a_trust_region_and_learned_rates_have_settings_without_use():
    always, rate = {"trial_episodes", "accumulate", "ema"}, {"learning_rate", "clip"}
    assert MAMLPolicyConfig().unread() == always | rate | {"warm_up", "weight_decay"}
    found = typed("maml-navigation", "--outer promp --rule learned-rates").method
    assert found.unread() == always | {"later_lr"}


SMALL = "--width 4 --trajectories 3 --inner-steps 2"
PLAIN = "--rule rate --inner-lr 0.1"


def test_a_later_rate_of_zero_moves_nothing_later():
    recipe = typed("maml-navigation", f"{SMALL} {PLAIN}")
    flags = {"updates": 3, "later_lr": 0.0}
    method, learned = recipe.method.retested(recipe.learner(), recipe.problem, flags)
    assert method.stages(recipe.problem) == 4
    policy, rule = learned
    environment = recipe.problem.environment("test")
    task, adaptation = environment.sample(KEY), method.adaptation(rule, environment)
    found = stages(policy, adaptation, task, 3, jax.random.key(1))
    weights = [stage.head.weight for stage in found]
    assert (weights[0] != weights[1]).any()
    assert (weights[1] == weights[3]).all()
    other = dataclasses.replace(recipe.method, adapts=AdaptsContextConfig())
    with pytest.raises(qs.BadInput, match="--adapts context"):
        other.retested(learned, recipe.problem, {"later_lr": 0.1})


def test_another_later_rate_keeps_what_was_learned_of_the_offset():
    recipe = typed("maml-navigation", f"{SMALL} {PLAIN} --offset spread --start -1")
    policy, rule = recipe.learner()
    learned = policy, jax.tree.map(lambda x: x - 0.25, rule)
    _, (_, found) = recipe.method.retested(learned, recipe.problem, {"later_lr": 0.125})
    assert found.offset.log_std.tolist() == [-1.25, -1.25]
    assert found.rule == qs.Rates((0.1, 0.125))


def test_tests_with_other_trajectories_say_so():
    recipe = typed("maml-navigation", SMALL)
    learned = recipe.learner()
    found, same = recipe.method.retested(learned, recipe.problem, {"trajectories": 5})
    assert same is learned
    assert found.adaptation(learned[1], recipe.problem.environment("test")).trajectories == 5
    assert found.copies(recipe.budget) == 100
    method = dataclasses.replace(found, updates=0)
    result = method.evaluate(recipe.problem, learned, Asking("x", episodes=2), recipe.budget)
    assert result.to_json()["trajectories"] == "5 per update"


def test_no_more_policies_are_scored_than_updates_make():
    with pytest.raises(qs.BadInput, match=r"scored_updates is 2.* from 1 to 1"):
        algorithm(typed("maml-navigation", "--inner-steps 1 --scored-updates 2"))
    found = algorithm(typed("maml-navigation", "--inner-steps 1 --scored-updates 1"))
    assert (found.steps, found.scored) == (1, 1)


def test_updates_follow_advantages_of_their_own():
    typed_in = typed("maml-navigation", "--inner-discount 0.25 --inner-decay 0.125 --decay 0.75")
    found = algorithm(typed_in).adaptation
    assert (found.inner.discount, found.inner.decay, found.decay) == (0.25, 0.125, 0.75)


class LongerAtTest(NavigationFamily):
    """Episodes are longer in tests."""

    name = NavigationFamily.name

    def environment(self, split, copies=1):
        return qs.Navigation(horizon={"train": 20, "test": 30}[split])


def test_what_is_watched_adapts_in_the_split_s_own_family():
    """Each update moves the policy, and the first stage is the policy as it was trained."""
    recipe, problem = typed("maml-navigation", f"{SMALL} --updates 2"), LongerAtTest()
    trial, (policy, rule) = problem.trial("train"), recipe.learner()
    task, (adapt_key, act_key) = trial.environment.sample(KEY), jax.random.split(KEY)
    adaptation = recipe.method.adaptation(rule, trial.environment)
    found = stages(policy, adaptation, task, 2, adapt_key)
    weights = [stage.head.weight for stage in found]
    assert len(weights) == 3
    assert (weights[0] == policy.head.weight).all()
    assert (weights[0] != weights[1]).any()
    assert (weights[1] != weights[2]).any()
    watched = recipe.method.watched(problem, (policy, rule), trial, task, KEY, "drawn")
    one = qs.Trial(trial.environment, 1)
    for number, (stage, episode) in enumerate(zip(found, watched, strict=True)):
        (wanted,) = watch(stage, one, task, jax.random.fold_in(act_key, number))
        assert episode.rewards == wanted.rewards
        assert len(episode.rewards) == 20


def test_the_likeliest_actions_are_scored_and_shown():
    """Standing nearly still, an untrained policy has the distance to the goal 100 times; noise
    takes it away. What is shown is greedy, too, after updates that are those of a drawn test."""
    recipe = typed("maml-navigation", f"{SMALL} --updates 1")
    learned, asked = recipe.learner(), Asking("x", episodes=20, acts="greedy")
    found = recipe.method.evaluate(recipe.problem, learned, asked, recipe.budget)
    assert found.to_json()["actions"] == "the likeliest"
    drawn = recipe.method.evaluate(
        recipe.problem, learned, dataclasses.replace(asked, acts="drawn"), recipe.budget
    )
    first = [one.evaluation.policy.episodes[0].mean for one in (found, drawn)]
    assert first[0] > first[1] + 5
    # The untrained policy of this seed is this policy.
    other = found.evaluation.references["untrained"]
    assert other.episodes[0].mean == pytest.approx(first[0], rel=1e-6)
    trial = recipe.problem.trial("test")
    task = trial.environment.sample(KEY)
    shown = [
        recipe.method.watched(recipe.problem, learned, trial, task, KEY, acts)[0].actions
        for acts in ("greedy", "drawn")
    ]
    spread = [np.std(np.diff(actions, axis=0)) for actions in shown]
    assert spread[0] < 0.1 * spread[1]
