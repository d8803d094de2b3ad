"""What policies that adapt by gradients earn in environments that are stepped on the host."""

import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.envs.host_family import host_of
from quickstudy.envs.successes import Successes
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.greedy import Acts
from quickstudy.rl.host_adaptation import Returned, host_adaptations
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.rollout import Earned


def update_earnings(
    policy: Reactive,
    adaptation: Adaptation,
    updates: int,
    key: PRNGKeyArray,
    tasks: int,
    scored: int = 0,
    acts: Acts = "drawn",
) -> Earned:
    """`update_returns` on the host, and the share that succeeded, `[tasks, stages]`.

    Args:
        policy: see `update_returns`, as the next four.
        adaptation: f_adapt, in a family on the host.
        updates: inner steps.
        key: consumed.
        tasks: how many.
        scored: of the K trajectories of each stage, so many are scored; 0 for all.
        acts: see `update_returns`.
    """
    host = host_of(adaptation.environment)
    assert host is not None
    noted, few = Successes(host), slice(scored or None)
    sets, after = host_adaptations(
        policy, adaptation, updates, key, tasks, returned=Returned(acts, noted)
    )
    acted = jnp.concatenate([sets.reward, after.reward[:, None]], 1)
    told = noted.of_updates(tasks, updates + 1, adaptation.trajectories)
    successes = None if told is None else told[..., few].mean(-1)
    return Earned(jnp.mean(jnp.sum(acted, -1)[..., few], -1), None, successes)
