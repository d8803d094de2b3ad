"""RL² as settings: every memory is trained, rates end at zero, ablations show what they must."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.rl.rl2 import trial_episodes
from quickstudy.training.algorithm import update
from references.recipes import algorithm, typed

KEY = jax.random.key(0)
FEW = "--meta-batch 4 --validation-episodes 4 --width 4 --steps 3"
RL2 = f"{FEW} --memory none"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rl2-bandit", f"{RL2} --improvement ppo --minibatches 2"),
        ("rl2-bandit", f"{RL2} --improvement policy-gradient"),
        ("rl2-bandit", f"{RL2} --improvement trpo"),
        ("maml-navigation", f"{FEW} --outer promp --trajectories 2"),
    ],
)
def test_the_rate_falls_to_zero_with_the_last_step(name, settings):
    """However many updates a step makes: after three steps of three nothing moves any more, and in
    the third everything still did. (The critic's, of which TRPO's optimiser is in charge alone.)"""
    found = algorithm(typed(name, settings))
    step, states = eqx.filter_jit(update), [found.init()]
    for key in jax.random.split(KEY, 4):
        states.append(step(found, states[-1], key, jnp.zeros(()))[0])
    learned = [found.learned(state) for state in states]
    moved = learned if name.startswith("maml") else [policy.critic for policy in learned]
    steps = [
        max(float(jnp.abs(x - y).max()) for x, y in zip(*map(jax.tree.leaves, pair), strict=True))
        for pair in itertools.pairwise(moved[2:])
    ]
    assert steps[0] > 1e-5
    assert steps[1] == 0


def test_what_is_never_cleared_is_tested_with_memories_of_another_task():
    never = typed("rl2-bandit", "--forgets never --told no-beginnings --trial-episodes 3 --arms 10")
    trial, policy = never.problem.trial("test", in_a_row=2), never.learner()
    weight = jax.random.normal(KEY, policy.actor.weight.shape)
    actor = eqx.tree_at(lambda p: p.actor.weight, policy, weight)
    run = eqx.filter_jit(trial_episodes)
    found = never.method.earning(never.problem, actor, trial)(KEY, 200).returns
    assert (found == run(actor, trial, KEY, 200).returns).all()
    # With the same keys, only what it remembers differs.
    alone = never.problem.trial("test")
    assert not (found == run(actor, alone, KEY, 200).returns).all()


def test_memories_never_cleared_are_not_for_the_host():
    with pytest.raises(qs.BadInput, match="--forgets between-tasks"):
        typed("rl2-cheetah", "--forgets never")
