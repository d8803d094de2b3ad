"""What policies come to by adapting to tasks, and what they earn on the way."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.envs.environment import MDP, compiled
from quickstudy.envs.host_family import host_of
from quickstudy.mesh import each, map_over_tasks
from quickstudy.rl.adaptation import Adaptation, Trajectories
from quickstudy.rl.greedy import Acts, acting
from quickstudy.rl.host_earnings import update_earnings
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.rollout import rollout
from quickstudy.rl.scale import Scaled
from quickstudy.rl.trial import Trial


def update_returns(
    policy: Reactive,
    adaptation: Adaptation,
    updates: int,
    key: PRNGKeyArray,
    tasks: int,
    acts: Acts = "drawn",
) -> Float[Array, "tasks stages"]:
    """The mean reward of an episode before, and after each of so many updates.

    Args:
        policy: π_θ.
        adaptation: f_adapt.
        updates: inner steps, as many as in training or more.
        key: consumed; the same key gives the same tasks to every policy, and those of
            `quickstudy.rl.rl2.trial_episodes`.
        tasks: how many.
        acts: how the episodes that are scored are acted. What updates are estimated from is drawn
            in any case.
    """
    if host_of(adaptation.environment) is not None:
        return update_earnings(policy, adaptation, updates, key, tasks, acts=acts).returns
    fixed, rest = eqx.partition((policy, adaptation), eqx.is_array)

    def one(fixed: Any, key: PRNGKeyArray) -> Float[Array, " stages"]:
        policy, adaptation = eqx.combine(fixed, rest)
        task_key, act_key = jax.random.split(key)
        task = compiled(adaptation.environment).sample(task_key)
        sets, after = adaptation.run(policy, task, updates, act_key)
        if acts == "drawn":
            before = jnp.mean(jnp.sum(sets.reward, -1), -1)
            return jnp.append(before, after.mean_return)
        again_key = jax.random.fold_in(act_key, updates)
        return _acted_again(policy, adaptation, task, sets, acts, again_key)

    return map_over_tasks(one, fixed, key, tasks)


def _acted_again(
    policy: Reactive,
    adaptation: Adaptation,
    task: MDP,
    sets: Trajectories,
    acts: Acts,
    key: PRNGKeyArray,
) -> Float[Array, " stages"]:
    """What K episodes of the policy before any update, and after each that `sets` make, earn."""
    thetas, _ = adaptation.scored(policy, adaptation.read(sets))
    trial = Trial(adaptation.environment, 1)

    def earned(now: Any) -> Float[Array, ""]:
        theta, keys = now
        actor = acting(adaptation.scale.worn(eqx.combine(theta, policy)), acts)
        paths = jax.vmap(lambda k: rollout(actor, trial, task, k))(keys)
        return jnp.mean(jnp.sum(paths.reward, -1))

    keys = jax.random.split(key, (len(sets.reward) + 1, adaptation.trajectories))
    return each(earned, (thetas, keys))


def stages(
    policy: Reactive, adaptation: Adaptation, task: MDP, updates: int, key: PRNGKeyArray
) -> list[Reactive | Scaled]:
    """The policy before any update, and after each. The key is consumed."""
    return replayed(
        policy, adaptation, eqx.filter_jit(adaptation.run)(policy, task, updates, key)[0]
    )


def replayed(
    policy: Reactive, adaptation: Adaptation, sets: Trajectories
) -> list[Reactive | Scaled]:
    """The policy before any update, and after each of those that `[updates, K, time]` make, with
    their scale."""
    sets = adaptation.read(jax.tree.map(jnp.asarray, sets))
    firsts = [jax.tree.map(lambda x, n=n: x[:n], sets) for n in range(1, len(sets.reward) + 1)]
    found = [policy, *(eqx.filter_jit(adaptation.replay)(policy, first) for first in firsts)]
    return [adaptation.scale.worn(one) for one in found]
