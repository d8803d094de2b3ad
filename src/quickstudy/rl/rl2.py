"""RL²: fast reinforcement learning, learned by slow reinforcement learning.

Duan et al., 2016, https://arxiv.org/abs/1611.02779; Wang et al., 2016,
https://arxiv.org/abs/1611.05763. Draw an MDP, reset the memory, collect several episodes carrying
it along, improve the policy on the whole trial's reward, and again.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.envs.environment import MDP, compiled
from quickstudy.envs.host import Host
from quickstudy.envs.host_family import host_of
from quickstudy.envs.successes import Successes
from quickstudy.errors import BadInput, demand_counts, demand_shares
from quickstudy.mesh import Shares, dealt, gathered, map_in_batches, on_shares
from quickstudy.rl.batch import Batch, mean_of_others, mean_over
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.policy import Actor, MetaPolicy
from quickstudy.rl.ppo import Improvement, Metrics
from quickstudy.rl.returns import advantages
from quickstudy.rl.rollout import Earned, Rollout, earned, rollout
from quickstudy.rl.scale import Fixed, Scale, Scaled, Steps
from quickstudy.rl.trial import Trial

FIXED = Fixed()


class RL2State(eqx.Module):
    """What training carries from step to step: θ, the improvement's state, and the scale."""

    parameters: Any
    optimiser: Any
    scale: Scale = FIXED


class RL2(eqx.Module):
    """RL² in the form that `quickstudy.fit` drives: collect trials, improve the policy, repeat.

    Attributes:
        policy: its array leaves are the initial θ.
        trial: n episodes in one MDP of a family.
        improvement: PPO, TRPO or the plain policy gradient.
        trials: trials per step.
        validation_trials: trials per validation.
        discount: γ, over the whole trial.
        decay: λ of generalised advantages.
        parts: backpropagation is cut between so many equal parts of a trial; 1 does not cut.
        scale: in which the policy sees and is paid, before the first step.

    Raises:
        BadInput: the trial cannot be cut into `parts`, there are fewer trials than minibatches,
            γ or λ is outside [0, 1], or a number of trials is not positive.
    """

    policy: MetaPolicy
    trial: Trial
    improvement: Improvement
    trials: int = eqx.field(static=True)
    validation_trials: int = eqx.field(static=True)
    discount: float = eqx.field(static=True, default=0.99)
    decay: float = eqx.field(static=True, default=0.95)
    parts: int = eqx.field(static=True, default=1)
    scale: Scale = FIXED

    def __check_init__(self) -> None:
        demand_counts(
            trials=self.trials, validation_trials=self.validation_trials, parts=self.parts
        )
        demand_shares(discount=self.discount, decay=self.decay)
        demand_filled(self.improvement.minibatches, self.trials)
        if self.trial.steps % self.parts:
            raise BadInput(
                f"a trial of {self.trial.steps} steps cannot be cut into {self.parts} equal parts; "
                "give a number that divides it"
            )

    @property
    def host(self) -> Host | None:
        """What steps the trials' environments, if not the compiled program."""
        return host_of(self.trial.environment)

    def init(self) -> RL2State:
        """The state before the first step."""
        parameters = eqx.filter(self.policy, eqx.is_inexact_array)
        return RL2State(parameters, self.improvement.init(self.policy), self.scale)

    def learned(self, state: RL2State) -> MetaPolicy | Scaled:
        """The policy with the parameters of that state, and its scale."""
        return state.scale.worn(eqx.combine(state.parameters, self.policy))

    def collect(self, state: RL2State, key: PRNGKeyArray, *, shares: int = 1) -> Shares:
        """Trials with π_θ, `Rollout`s `[trials, time]`, of which every device has so many equal
        shares, and as many as the improvement wants. The key is consumed."""
        policy, multiple = self.learned(state), math.lcm(self.improvement.minibatches, shares)
        if self.host is not None:
            found = host_rollouts(policy, self.trial, key, self.trials, parts=self.parts)
            return dealt(found, multiple=multiple)
        fixed, rest = eqx.partition((policy, self.trial), eqx.is_array)

        def share(fixed: Any, keys: Any, real: Any) -> Shares:
            policy, trial = eqx.combine(fixed, rest)
            rows = jax.vmap(lambda key: trials_in_a_row(policy, trial, key, parts=self.parts))(keys)
            # From `[trials, in a row, time]`: a trial is one, whatever came before it.
            in_turn = [jax.tree.map(lambda x, n=n: x[:, n], rows) for n in range(trial.in_a_row)]
            paths = jax.tree.map(lambda *xs: jnp.concatenate(xs), *in_turn)
            return Shares(paths, jnp.tile(real, trial.in_a_row))

        return gathered(share, fixed, key, self.trials, multiple=multiple)

    def improve(
        self, state: RL2State, batch: Shares, progress: Float[Array, ""]
    ) -> tuple[RL2State, Metrics]:
        """Improve π_θ on trials that it has acted in."""
        fixed, rest = eqx.partition(self.policy, eqx.is_array)

        def share(arguments: Any, paths: Rollout, real: Any) -> tuple[RL2State, Metrics]:
            state, fixed = arguments
            policy = eqx.combine(state.parameters, eqx.combine(fixed, rest))
            paths, scale = self.scaled(state, paths, real)
            policy, optimiser, metrics = self.improved(policy, state.optimiser, paths, real, scale)
            return RL2State(eqx.filter(policy, eqx.is_inexact_array), optimiser, scale), metrics

        return on_shares(share, (state, fixed), batch)

    def scaled(self, state: RL2State, paths: Rollout, real: Any) -> tuple[Rollout, Scale]:
        """A device's share of trials as the policy has seen them, rewards apart, and the scale that
        has met them, in which rewards are counted; for `quickstudy.mesh.on_shares`."""
        steps = Steps(paths.seen.observation, paths.reward, paths.real & real[:, None])
        scale = state.scale.met(steps, self.discount)
        return paths._replace(seen=state.scale.read(paths.seen)), scale

    def improved(
        self, policy: MetaPolicy, optimiser: Any, paths: Rollout, real: Any, scale: Scale = FIXED
    ) -> tuple[MetaPolicy, Any, Metrics]:
        """A better policy and the improvement's state, from what `scaled` gives; for
        `quickstudy.mesh.on_shares`."""
        paths = paths._replace(real=paths.real & real[:, None])
        earned = mean_over(jnp.sum(paths.reward, -1), paths.real[:, 0])
        paid = paths._replace(reward=scale.pay(paths.reward))
        shares = _in_minibatches(self._batch(paid), self.improvement.minibatches)
        policy, optimiser, metrics = self.improvement.improve(policy, optimiser, shares)
        return policy, optimiser, {**metrics, "return": earned}

    def validate(self, state: RL2State, key: PRNGKeyArray) -> Metrics:
        """The mean reward of a trial in fresh MDPs, always the same ones."""
        found = trial_episodes(self.learned(state), self.trial, key, self.validation_trials)
        mean = jnp.mean(jnp.sum(found.returns, -1))
        return {"return": mean, "score": mean}

    def _batch(self, paths: Rollout) -> Batch:
        """Rollouts `[trials, time]` to parts `[trials, parts, time]`."""
        log_prob, value = paths.notes
        per_trial = jax.vmap(advantages, (0, 0, 0, None, None))
        # How much of a trial is left says more of its reward than anything else; a memory learns
        # only late to count. So the mean from each time on is that of the batch's other trials, and
        # the critic tells what is above it.
        to_go = per_trial(paths.reward, jnp.zeros_like(value), paths.real, self.discount, 1.0)
        mean = mean_of_others(to_go, paths.real)
        advantage = per_trial(paths.reward, mean + value, paths.real, self.discount, self.decay)
        target = advantage + value
        spread = _deviation(target, paths.real)
        centred = advantage - mean_over(advantage, paths.real)
        advantage = centred / _deviation(advantage, paths.real)
        path = (paths.seen, paths.action, log_prob, advantage, target, paths.real)
        seen, action, log_prob, advantage, target, real = jax.tree.map(self._cut, path)
        # A trial that is one part begins with the memory that remembers nothing.
        state = paths.states if self.parts * self.trial.in_a_row > 1 else None
        # One number, which every part carries: minibatches are cut from all arrays alike.
        spreads = jnp.full(advantage.shape[:2], spread)
        return Batch(seen, action, log_prob, advantage, target, real, state, spreads)

    def _cut(self, x: Array) -> Array:
        """`[trials, time, ...]` to `[trials, parts, shorter time, ...]`."""
        return x.reshape(len(x), self.parts, x.shape[1] // self.parts, *x.shape[2:])


def trials_in_a_row(actor: Actor, trial: Trial, key: PRNGKeyArray, *, parts: int = 1) -> Rollout:
    """Trials in as many MDPs, one after the other, `[in a row, time]`; the actor's state is handed
    on, and it is for the actor to clear it. The key decides the last MDP, however many go before.
    """

    def one(state: Any, key: PRNGKeyArray) -> tuple[Any, Rollout]:
        task_key, act_key = jax.random.split(key)
        task = compiled(trial.environment).sample(task_key)
        path = rollout(actor, trial, task, act_key, state=state, parts=parts)
        return path.last, path._replace(last=None)

    if trial.in_a_row == 1:
        path = one(None, key)[1]
        return jax.tree.map(lambda x: x[None], path)
    # The third, for `one` draws the last MDP and what is done there from the first two.
    before = jax.random.split(jax.random.split(key, 3)[2], trial.in_a_row - 1)
    # Of any task: only policies act in a row, and they do not look at it.
    start = actor.begin(compiled(trial.environment).sample(key))
    return jax.lax.scan(one, start, jnp.concatenate([before, key[None]]))[1]


def trial_episodes(actor: Actor, trial: Trial, key: PRNGKeyArray, trials: int) -> Earned:
    """Reward and length of every episode of many trials `[trials, episodes]`, in MDPs that the key
    decides.

    Args:
        actor: a policy or an oracle; on the host a policy, or an actor that needs no task.
        trial: how many episodes, in which family, compiled or on the host.
        key: consumed; the same key gives the same MDPs to every actor.
        trials: how many.
    """
    if (host := host_of(trial.environment)) is not None:
        paths = host_rollouts(actor, trial, key, trials, through=(noted := Successes(host)))
        found = jax.vmap(earned, (0, None))(paths, trial.episodes)
        return found._replace(successes=noted.of_trials(trials, trial.episodes))
    fixed, rest = eqx.partition((actor, trial), eqx.is_array)

    def one(fixed: Any, key: PRNGKeyArray) -> Earned:
        actor, trial = eqx.combine(fixed, rest)
        last = jax.tree.map(lambda x: x[-1], trials_in_a_row(actor, trial, key))
        return earned(last, trial.episodes)

    return map_in_batches(one, fixed, key, trials)


def trial_tasks(trial: Trial, key: PRNGKeyArray, trials: int) -> MDP:
    """The MDPs that `trial_episodes` meets with that key, on a first axis `[trials, ...]`."""

    # By folding in the number, as the mesh does: a trial's MDP does not depend on how many there
    # are.
    return jax.vmap(lambda number: trial_task(trial, key, number))(jnp.arange(trials))


def trial_task(trial: Trial, key: PRNGKeyArray, number: Array | int) -> MDP:
    """The MDP that `trial_episodes` meets with that key in the trial of that number."""
    return compiled(trial.environment).sample(jax.random.split(jax.random.fold_in(key, number))[0])


def demand_filled(minibatches: int, trials: int, name: str = "minibatches") -> None:
    """Refuse more minibatches than trials: one that is padding alone would move the weights, too,
    by the optimiser's momentum.

    Raises:
        BadInput: says both.
    """
    if minibatches > trials:
        raise BadInput(
            f"{name} is {minibatches}, and a step has {trials} trials; give at most as many, or "
            "more trials (--meta-batch)"
        )


def _in_minibatches(batch: Batch, n: int) -> Batch:
    """`[trials, parts, time]` to `[n, trials / n · parts, time]`; trial i goes to share i mod n."""

    def split(x: Array) -> Array:
        trials, parts, *rest = x.shape
        # Dealt in turn: padding is at the end of a device's trials, and no share is padding alone.
        shares = jnp.moveaxis(x.reshape(trials // n, n, parts, *rest), 1, 0)
        return shares.reshape(n, trials // n * parts, *rest)

    return jax.tree.map(split, batch)


def _deviation(x: Float[Array, "..."], real: Array) -> Float[Array, ""]:
    """The standard deviation over all devices; at least 10⁻⁴, for batches without rewards."""
    return jnp.maximum(jnp.sqrt(mean_over(jnp.square(x - mean_over(x, real)), real)), 1e-4)
