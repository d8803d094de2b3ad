"""Many trials, each in an MDP drawn anew: the reward of each episode, beside the optimum's."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from quickstudy.envs.host_family import host_of
from quickstudy.errors import BadInput, demand_counts, demand_key
from quickstudy.evaluation.estimates import PairedDifference, short
from quickstudy.evaluation.measured import Returns, TrialEvaluation
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.adapted import update_returns
from quickstudy.rl.greedy import Acts
from quickstudy.rl.host_earnings import update_earnings
from quickstudy.rl.policy import Actor
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.rl2 import trial_episodes, trial_tasks
from quickstudy.rl.rollout import Earned
from quickstudy.rl.trial import Trial

Reference = Callable[[PRNGKeyArray, int], Any]
"""From the key of an evaluation and a number of trials to returns `[trials, episodes]`, or to
`Earned` with the episodes' lengths, in the same MDPs that `evaluate_policy` meets with that key."""


def evaluate_policy(
    actor: Actor,
    trial: Trial,
    *,
    trials: int = 1000,
    key: PRNGKeyArray,
    references: Mapping[str, Reference] | None = None,
) -> TrialEvaluation:
    """Act through many trials, each in a fresh MDP.

    Args:
        actor: a policy, trained or not, or an oracle.
        trial: how many episodes, in which family.
        trials: how many trials.
        key: consumed; the same key gives the same MDPs to every actor.
        references: what to measure beside it, by name.

    Raises:
        BadInput: `trials` is not positive, or `key` is none of JAX's.

    Example:
        >>> import jax, quickstudy as qs
        >>> trial = qs.Trial(qs.Bandit(arms=3), episodes=5)
        >>> found = evaluate_policy(
        ...     qs.Random(trial.environment), trial, trials=8, key=jax.random.key(0)
        ... )
        >>> len(found.policy.episodes), found.trials
        (5, 8)
    """
    return evaluate_earnings(acting(actor, trial), trials=trials, key=key, references=references)


def evaluate_earnings(
    earning: Reference,
    *,
    trials: int,
    key: PRNGKeyArray,
    references: Mapping[str, Reference] | None = None,
    stage: str = "episode",
) -> TrialEvaluation:
    """`evaluate_policy` of anything that earns, however it acts and adapts.

    Args:
        earning: gives the returns `[trials, stages]`, or `Earned`, for a key and a number of
            trials.
        trials: how many.
        key: consumed; the same key gives the same MDPs to all.
        references: what to measure beside it, by name.
        stage: "episode" or "update": what the returns' second axis is.

    Raises:
        BadInput: `trials` is not positive, or `key` is none of JAX's.
    """
    demand_counts(trials=trials)
    demand_key(key)
    trials = int(trials)  # NumPy's would be traced
    earned = earning(key, trials)
    others = {name: reference(key, trials) for name, reference in (references or {}).items()}
    scores = _per_trial(earned, stage)
    ahead = {
        name: PairedDifference.of(scores.tolist(), _per_trial(other, stage).tolist()).difference
        for name, other in others.items()
    }
    beside = {name: Returns.of(other) for name, other in others.items()}
    return TrialEvaluation(Returns.of(earned), beside, trials, stage, short(scores), ahead)


def _per_trial(earned: Any, stage: str) -> np.ndarray:
    """The score of each trial."""
    returns = np.asarray(earned.returns if isinstance(earned, Earned) else earned)
    return returns[:, -1] if stage == "update" else returns.sum(1)


def same_tasks(trial: Trial, play: Callable[[Any, PRNGKeyArray], Any]) -> Reference:
    """What plays tasks `[trials, ...]` as a reference: `play(tasks, key)` gives returns `[trials,
    episodes]`, or `[trials]` for what every episode is expected to give."""

    def returns(key: PRNGKeyArray, trials: int) -> Any:
        tasks = _tasks(trial, key, trials)
        # The numbers below `trials` are the tasks' own.
        found = np.asarray(play(tasks, jax.random.fold_in(key, trials)))
        if found.ndim == 1:
            found = np.repeat(found[:, None], trial.episodes, axis=1)
        return found

    return returns


def acting(actor: Actor, trial: Trial) -> Reference:
    """An actor as a reference, wherever the family is stepped.

    Args:
        actor: a policy or an oracle.
        trial: how many episodes, in which family.
    """
    run = trial_episodes if host_of(trial.environment) else _trial_episodes
    return partial(run, actor, trial)


def adapting(
    policy: Reactive,
    adaptation: Adaptation,
    updates: int,
    scored: int = 0,
    acts: Acts = "drawn",
) -> Reference:
    """A policy that adapts by gradients as a reference, wherever the family is stepped: rewards
    before any update, and after each; on the host of the first `scored` of the K trajectories, or
    of all. `acts` is how what is scored is acted."""
    if host_of(adaptation.environment):
        return partial(update_earnings, policy, adaptation, updates, scored=scored, acts=acts)
    if scored:
        raise BadInput(
            f"--scored-trajectories {scored} is read on the host alone; leave it out for a family "
            "that is compiled"
        )
    return partial(_update_returns, policy, adaptation, updates, acts=acts)


# Made once: a function that is jitted anew is compiled anew. On the host nothing is.
_trial_episodes, _update_returns = eqx.filter_jit(trial_episodes), eqx.filter_jit(update_returns)
_tasks = eqx.filter_jit(trial_tasks)
