"""MAML for reinforcement learning: adapt a policy by policy-gradient steps on its own trajectories.

Finn, Abbeel and Levine, 2017, https://arxiv.org/abs/1703.03400, section 4.2 (algorithm 3): sample K
trajectories with π_θ in task i, take a policy-gradient step to θ'_i, sample again with π_θ'_i, and
improve θ through the step.
"""

import dataclasses
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree, Scalar

from quickstudy.envs.environment import compiled
from quickstudy.envs.host import Host
from quickstudy.envs.host_family import host_of
from quickstudy.errors import BadInput, demand_counts
from quickstudy.mesh import Shares, dealt, each, gathered, on_shares, total
from quickstudy.rl.adaptable import Adaptable
from quickstudy.rl.adaptation import Adaptation, Trajectories, of_every, policy_actions
from quickstudy.rl.adapted import update_returns
from quickstudy.rl.host_adaptation import host_adaptations
from quickstudy.rl.outer import AdaptedActions, Objective, Outer
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.scale import Fixed, Scale, Steps
from quickstudy.rl.surrogate import Taken

Unit = Literal["task", "mean"]
"""In which unit policies are scored: advantages have a variance of 1 in each task and for each
policy ("task", as in the paper's code), so that a task counts as much as another; or their unit is
the mean of these over all tasks and scored policies ("mean"), and what is climbed is the mean
reward."""


class MAMLRLState(eqx.Module):
    """What training carries from step to step: θ with the inner rule's arrays, the outer rule's
    state, and the scale."""

    parameters: Any
    outer: Any
    scale: Scale = Fixed()


class MAMLRL(eqx.Module):
    """MAML for RL in the form that `quickstudy.fit` drives.

    Attributes:
        policy: its array leaves are the initial θ.
        adaptation: f_adapt.
        outer: how θ is improved: a trust region (the paper), or an optimiser.
        steps: k, inner steps.
        tasks: MDPs per meta-step.
        validation_tasks: MDPs per validation.
        scored: how many of the last policies are scored: 1 is the one after all updates; 2 are
            that and the one before the last update, and the objective is their mean.
        unit: see `Unit`.

    Raises:
        BadInput: more policies are to be scored than updates make, or a number of tasks is not
            positive.
    """

    policy: Reactive
    adaptation: Adaptation
    outer: Outer
    steps: int = eqx.field(static=True, default=1)
    tasks: int = eqx.field(static=True, default=20)
    validation_tasks: int = eqx.field(static=True, default=40)
    scored: int = eqx.field(static=True, default=1)
    unit: Unit = eqx.field(static=True, default="task")

    def __check_init__(self) -> None:
        demand_counts(tasks=self.tasks, validation_tasks=self.validation_tasks)
        if not 1 <= self.scored <= max(self.steps, 1):
            raise BadInput(
                f"scored_updates is {self.scored}, and training makes {self.steps} updates "
                f"(inner_steps); give scored_updates from 1 to {max(self.steps, 1)}"
            )

    @property
    def host(self) -> Host | None:
        """What steps the environments, if not the compiled program."""
        return host_of(self.adaptation.environment)

    def init(self) -> MAMLRLState:
        """The state before the first step."""
        parameters = eqx.filter((self.policy, self.adaptation.rule), eqx.is_inexact_array)
        return MAMLRLState(parameters, self.outer.init(parameters), self.adaptation.scale)

    def learned(self, state: MAMLRLState) -> Adaptable:
        """The policy, and the inner rule, with the parameters and the scale of that state."""
        return Adaptable.of(*self.adapting(state))

    def adapting(self, state: MAMLRLState) -> tuple[Reactive, Adaptation]:
        """The policy, and how it adapts, with the parameters and the scale of that state."""
        meta = Meta(self.policy, self.adaptation, self.tasks, self.scored, self.unit)
        policy, adaptation = meta.at(state.parameters)
        return policy, dataclasses.replace(adaptation, scale=state.scale)

    def collect(self, state: MAMLRLState, key: PRNGKeyArray) -> Shares:
        """Adapt in fresh tasks, and act: the trajectories before each inner step, `[tasks, steps,
        K, time]`, and those after the last, `[tasks, K, time]`. The key is consumed."""
        policy, adaptation = self.adapting(state)
        if self.host is not None:
            return dealt(host_adaptations(policy, adaptation, self.steps, key, self.tasks))
        fixed, rest = eqx.partition((policy, adaptation), eqx.is_array)

        def share(fixed: Any, keys: Any, real: Any) -> Shares:
            policy, adaptation = eqx.combine(fixed, rest)
            return Shares(each(lambda k: self._experience(policy, adaptation, k), keys), real)

        return gathered(share, fixed, key, self.tasks)

    def improve(
        self, state: MAMLRLState, batch: Shares, progress: Float[Array, ""]
    ) -> tuple[MAMLRLState, dict[str, Scalar]]:
        """Improve θ through the adaptation on what was done."""
        fixed, rest = eqx.partition((self.policy, self.adaptation), eqx.is_array)

        def share(arguments: Any, rows: Any, real: Any) -> Any:
            (state, fixed), (sets, after) = arguments, rows
            policy, adaptation = eqx.combine(fixed, rest)
            adaptation = dataclasses.replace(adaptation, scale=state.scale)
            scale = state.scale.met(_steps(sets, after, real), adaptation.discount)
            # As policies have seen it, in the scale before these steps.
            stored = _Stored(adaptation.read(sets), adaptation.read(after), real)
            meta = Meta(policy, adaptation, self.tasks, self.scored, self.unit)
            parameters, outer, metrics = self.outer.improve(
                state.parameters, state.outer, meta.on(stored)
            )
            before = jax.tree.map(lambda x: x[:, 0], stored.sets) if self.steps else stored.after
            names, paths = ("return_before", "return"), (before, stored.after)
            earned = [jnp.sum(jnp.where(real, _returns(p), 0.0)) for p in paths]
            found = {n: total(e) / self.tasks for n, e in zip(names, earned, strict=True)}
            return MAMLRLState(parameters, outer, scale), {**metrics, **found}

        return on_shares(share, (state, fixed), batch)

    def _experience(self, policy: Reactive, adaptation: Adaptation, key: PRNGKeyArray) -> Any:
        task_key, act_key = jax.random.split(key)
        task = compiled(adaptation.environment).sample(task_key)
        return adaptation.run(policy, task, self.steps, act_key)

    def validate(self, state: MAMLRLState, key: PRNGKeyArray) -> dict[str, Scalar]:
        """The mean reward of an episode after adaptation, in tasks that are always the same; the
        score is that of all policies that training scores."""
        returns = update_returns(*self.adapting(state), self.steps, key, self.validation_tasks)
        mean = jnp.mean(returns, 0)
        score = jnp.mean(mean[-self.scored :])
        return {"return": mean[-1], "return_before": mean[0], "score": score}


class _Stored(NamedTuple):
    """What a device's tasks gave, on a first axis `[tasks]`."""

    sets: Trajectories
    after: Trajectories
    real: Bool[Array, " tasks"]

    def last(self, stages: int) -> Trajectories:
        """What the last policies did, `[tasks, stages, K, time]`."""
        if stages == 1:
            return jax.tree.map(lambda x: x[:, None], self.after)

        def joined(sets: Array, after: Array) -> Array:
            before = sets[:, sets.shape[1] - stages + 1 :]
            return jnp.concatenate([before, after[:, None]], 1)

        return jax.tree.map(joined, self.sets, self.after)


class Meta(eqx.Module):
    """The outer objective: rewards after adaptation, as a function of θ before it.

    Attributes:
        policy: its arrays are replaced by θ.
        adaptation: its rule's arrays, too.
        tasks: over all devices.
        scored: of `MAMLRL`.
        unit: of `MAMLRL`.
    """

    policy: Reactive
    adaptation: Adaptation
    tasks: int = eqx.field(static=True)
    scored: int = eqx.field(static=True, default=1)
    unit: Unit = eqx.field(static=True, default="task")

    def at(self, parameters: PyTree) -> tuple[Reactive, Adaptation]:
        """Policy and adaptation with these parameters."""
        policy, rule = eqx.combine(parameters, (self.policy, self.adaptation.rule))
        return policy, eqx.tree_at(lambda a: a.rule, self.adaptation, rule)

    def on(self, stored: _Stored, every: int = 1) -> Objective:
        """Surrogate and divergence of these experiences, this device's share of each mean.

        Args:
            stored: this device's tasks.
            every: n; only trajectories 0, n, 2n … of each task are adapted on and scored, with
                the advantages that they have among all.
        """

        acted = stored.last(self.scored)

        def adapted(parameters: PyTree) -> AdaptedActions:
            policy, adaptation = self.at(parameters)

            def one(sets: Trajectories, acted: Trajectories) -> AdaptedActions:
                thetas, scores = adaptation.scored(policy, sets, every)
                last = jax.tree.map(lambda x: x[len(x) - self.scored :], thetas)
                actions = each(
                    lambda pair: policy_actions(eqx.combine(pair[0], policy), pair[1]),
                    (last, of_every(every, acted, axis=1)),
                )
                # Before any update there is no score.
                sums = jnp.append(jnp.zeros(1, scores.dtype), jnp.cumsum(jnp.sum(scores, 1)))
                return AdaptedActions(actions, sums[len(sums) - self.scored :])

            return each(lambda pair: one(*pair), (stored.sets, acted))

        # In turn: XLA's threads wait for each other for ever where two CPU devices factor batches
        # of matrices, the baselines', at the same time.
        measured = each(lambda paths: each(self.adaptation.measured, paths), acted)
        real = acted.real & stored.real[:, None, None, None]
        unit = self._unit(stored.real, measured.unit)
        advantage = measured.advantage * (measured.unit / unit)[..., None, None]
        taken = Taken(acted.action, acted.log_prob, advantage, real)
        # Rounding apart, π_old after its adaptation is the policy that chose these actions.
        return Objective(
            adapted,
            of_every(every, taken, axis=2),
            gain=self._gain(stored.real, acted) / unit,
            of_every=lambda n: self.on(stored, n),
        )

    def _unit(
        self, real: Bool[Array, " tasks"], units: Float[Array, "tasks stages"]
    ) -> Float[Array, "tasks stages"]:
        """What an advantage of 1 is in rewards, of each task's policies."""
        if self.unit == "task":
            return units
        mean = total(jnp.sum(jnp.where(real[:, None], units, 0.0))) / (self.tasks * self.scored)
        return jnp.full_like(units, mean)

    def _gain(
        self, real: Bool[Array, " tasks"], acted: Trajectories
    ) -> Float[Array, "tasks stages"]:
        """What each task's episodes earned after adaptation, above those of the other tasks, on
        which its own trajectories have no influence."""
        earned = jnp.where(real[:, None], _returns(acted), 0.0)
        # A baseline may not depend on what it is subtracted from: a task's own earnings are left
        # out.
        others = (total(jnp.sum(earned, 0))[None] - earned) / max(self.tasks - 1, 1)
        return jnp.where(real[:, None], earned - others, 0.0)


def _steps(sets: Trajectories, after: Trajectories, real: Bool[Array, " tasks"]) -> Steps:
    """All that a device's tasks gave, `[tasks, trajectories, time]`."""

    def joined(sets: Array, after: Array) -> Array:
        n, steps, k, *rest = sets.shape  # bandits show nothing: a size of -1 cannot be worked out
        return jnp.concatenate([sets.reshape(n, steps * k, *rest), after], 1)

    paths = jax.tree.map(joined, sets, after)
    return Steps(paths.observation, paths.reward, paths.real & real[:, None, None])


def _returns(paths: Trajectories) -> Float[Array, "..."]:
    return jnp.mean(jnp.sum(paths.reward, -1), -1)
