"""Adapting a policy to a task by policy-gradient steps on its own trajectories."""

import dataclasses
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree, Scalar

from quickstudy.envs.environment import MDP, Action, MDPFamily, Observation
from quickstudy.errors import demand_counts, demand_shares
from quickstudy.inner import InnerRule
from quickstudy.rl.baseline import Baseline, LinearBaseline, at_a_glance
from quickstudy.rl.estimators import Estimator
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.returns import advantages
from quickstudy.rl.rollout import rollout
from quickstudy.rl.scale import Fixed, Scale
from quickstudy.rl.trial import Trial


class Trajectories(NamedTuple):
    """K trajectories of one policy in one task, `[K, time]`.

    Attributes:
        observation: o_t.
        action: a_t.
        reward: r_t.
        log_prob: log π(a_t) when it was chosen.
        real: which steps the trajectory has.
    """

    observation: Observation
    action: Action
    reward: Float[Array, "k time"]
    log_prob: Float[Array, "k time"]
    real: Bool[Array, "k time"]

    @property
    def mean_return(self) -> Scalar:
        """The mean over trajectories of Σ_t r_t."""
        return jnp.mean(jnp.sum(self.reward, -1))


class Measured(NamedTuple):
    """How good actions were.

    Attributes:
        advantage: A_t, in that unit.
        unit: what an advantage of 1 is in rewards.
    """

    advantage: Float[Array, "k time"]
    unit: Scalar


class Adaptation(eqx.Module):
    """How a policy adapts to a task: θ_{j+1} = move(θ_j, ∇J_j), on K fresh trajectories per step.

    Attributes:
        environment: the family of MDPs.
        rule: how θ moves, `quickstudy.inner`; its arrays are meta-learned.
        estimator: what a derivative through the step estimates. `LVC`, which the
            recipes take, is a few percent wrong and has little variance with few trajectories;
            `DiCE` is exact in expectation, and `ScoreTerm` is for objective II.
        trajectories: K.
        discount: γ.
        decay: λ of generalised advantages.
        baseline: what advantages are measured against.
        inner_discount: γ of the advantages that inner steps follow; `None` is γ.
        inner_decay: λ of those; `None` is λ. What an update follows need not be what it is scored
            by: with γ and λ near 0 a gradient from few trajectories has little variance, and
            meta-learning makes up for its bias.
        scale: in which the policy sees. Advantages have a variance of 1 in any scale of rewards.

    Raises:
        BadInput: no trajectory, or a γ or λ outside [0, 1].

    Example:
        >>> import quickstudy as qs
        >>> from quickstudy.rl.estimators import LVC
        >>> adaptation = Adaptation(qs.Navigation(), qs.Rate(0.1), LVC(), trajectories=2)
        >>> policy = Reactive.create(adaptation.environment, (8,), key=jax.random.key(0))
        >>> task = adaptation.environment.sample(jax.random.key(1))
        >>> sets, after = adaptation.run(policy, task, 1, jax.random.key(2))
        >>> after.reward.shape
        (2, 100)
    """

    environment: MDPFamily
    rule: InnerRule
    estimator: Estimator
    trajectories: int = eqx.field(static=True, default=20)
    discount: float = eqx.field(static=True, default=0.99)
    decay: float = eqx.field(static=True, default=1.0)
    baseline: Baseline = LinearBaseline()
    inner_discount: float | None = eqx.field(static=True, default=None)
    inner_decay: float | None = eqx.field(static=True, default=None)
    scale: Scale = Fixed()

    def __check_init__(self) -> None:
        demand_counts(trajectories=self.trajectories)
        own = {"inner_discount": self.inner_discount, "inner_decay": self.inner_decay}
        given = {name: value for name, value in own.items() if value is not None}
        demand_shares(discount=self.discount, decay=self.decay, **given)

    @property
    def inner(self) -> Self:
        """The same, with the γ and λ of inner steps for all advantages."""
        discount = self.discount if self.inner_discount is None else self.inner_discount
        decay = self.decay if self.inner_decay is None else self.inner_decay
        return dataclasses.replace(self, discount=discount, decay=decay)

    def collect(self, policy: Reactive, task: MDP, key: PRNGKeyArray) -> Trajectories:
        """K trajectories, one episode each, in the environment's scale. The key is consumed."""
        trial, actor = Trial(self.environment, 1), self.scale.worn(policy)
        keys = jax.random.split(key, self.trajectories)
        path = jax.vmap(lambda k: rollout(actor, trial, task, k))(keys)
        return Trajectories(path.seen.observation, path.action, path.reward, path.notes, path.real)

    def read(self, paths: Trajectories) -> Trajectories:
        """Trajectories in the policy's scale: what steps are made, and policies are scored on."""
        return paths._replace(observation=self.scale.see(paths.observation))

    def advantage(self, paths: Trajectories) -> Float[Array, "k time"]:
        """A_t of inner steps against the baseline, fitted to these trajectories; of mean 0 and
        variance 1."""
        return self.inner.measured(paths).advantage

    def measured(self, paths: Trajectories) -> Measured:
        """The same with γ and λ themselves, by which policies are scored; and the standard
        deviation that it was divided by."""
        zeros = jnp.zeros_like(paths.reward)
        all_of = jax.vmap(advantages, (0, 0, 0, None, None))
        # With λ = 1 and V = 0 these are discounted rewards to go, which the baseline is fitted to.
        to_go = all_of(paths.reward, zeros, paths.real, self.discount, 1.0)
        seen = at_a_glance(paths.observation, self.environment.pictures)
        values = self.baseline.values(seen, to_go, paths.real)
        found = all_of(paths.reward, values, paths.real, self.discount, self.decay)
        count = jnp.maximum(jnp.sum(paths.real), 1)
        centred = jnp.where(paths.real, found - jnp.sum(found) / count, 0.0)
        # Trajectories that all earned the same have no deviation to divide by, and teach nothing.
        unit = jnp.maximum(jnp.sqrt(jnp.sum(centred**2) / count), 1e-6)
        return Measured(centred / unit, unit)

    def step(
        self, policy: Reactive, state: PyTree, paths: Trajectories, number: Any, every: int = 1
    ) -> tuple[Reactive, PyTree]:
        """One inner step, differentiable in the policy and the rule.

        Args:
            policy: π_θ.
            state: the rule's own.
            paths: what an equal policy did; constants.
            number: which step it is, from 0.
            every: n; the gradient is that of trajectories 0, n, 2n … alone, with the advantages
                that they have among all.
        """
        theta, rest = eqx.partition(policy, eqx.is_inexact_array)
        paths, advantage = of_every(every, (paths, self.advantage(paths)))

        def surrogate(theta: PyTree) -> Scalar:
            log_prob = path_log_probs(eqx.combine(theta, rest), paths)
            return self.estimator.surrogate(log_prob, paths.log_prob, advantage, paths.real)

        gradient = self.estimator.gradient(surrogate, theta)
        # Rules descend, rewards are climbed; and steps do not grow with the length of episodes.
        downhill = jax.tree.map(lambda g: -g / self.environment.horizon, gradient)
        theta, state = self.rule.move(theta, downhill, state, number)
        return eqx.combine(theta, rest), state

    def start(self, theta: PyTree) -> tuple[PyTree, PyTree]:
        """Where the first step starts from, and the rule's own state there."""
        theta = self.rule.begin(theta)
        return theta, self.rule.start(theta)

    def run(
        self, policy: Reactive, task: MDP, steps: int, key: PRNGKeyArray
    ) -> tuple[Trajectories, Trajectories]:
        """Adapt by acting.

        Args:
            policy: π_θ.
            task: M_i.
            steps: k.
            key: consumed.

        Returns:
            the trajectories before each step, `[steps, K, time]`, and those after the last.
        """
        theta, rest = eqx.partition(policy, eqx.is_inexact_array)

        def one(carry: Any, now: Any) -> tuple[Any, Trajectories]:
            (theta, state), (number, key) = carry, now
            policy = eqx.combine(theta, rest)
            paths = self.collect(policy, task, key)
            policy, state = self.step(policy, state, self.read(paths), number)
            return (eqx.filter(policy, eqx.is_inexact_array), state), paths

        keys = jax.random.split(key, steps + 1)
        start = self.start(theta)
        (theta, _), sets = jax.lax.scan(one, start, (jnp.arange(steps), keys[:-1]))
        return sets, self.collect(eqx.combine(theta, rest), task, keys[-1])

    def replay(self, policy: Reactive, sets: Trajectories) -> Reactive:
        """The policy after the steps that stored trajectories `[steps, K, time]` make,
        differentiable in θ."""
        there = jax.tree.map(lambda x: x[-1], self.scored(policy, sets)[0])
        return eqx.combine(there, policy)

    def scored(
        self, policy: Reactive, sets: Trajectories, every: int = 1
    ) -> tuple[PyTree, Float[Array, "steps k"]]:
        """Parameters before each step and after the last, `[steps + 1, ...]`, and the estimator's
        score of every trajectory under the policy θ_j(θ) that acted it; both are differentiable in
        θ. With `every`, steps are made as `step` has it."""
        theta, rest = eqx.partition(policy, eqx.is_inexact_array)

        def one(carry: Any, now: Any) -> tuple[Any, tuple[PyTree, Float[Array, " k"]]]:
            (before, state), (number, paths) = carry, now
            policy = eqx.combine(before, rest)
            # Trajectories are replayed, not acted again: as constants they say nothing of how θ
            # chose them, which is the estimator's affair.
            score = self.estimator.score(path_log_probs(policy, paths), paths.real)
            policy, state = self.step(policy, state, paths, number, every)
            return (eqx.filter(policy, eqx.is_inexact_array), state), (before, score)

        start = self.start(theta)
        steps = (jnp.arange(len(sets.reward)), sets)
        (last, _), (before, scores) = jax.lax.scan(one, start, steps)
        return jax.tree.map(lambda xs, x: jnp.append(xs, x[None], 0), before, last), scores


def of_every(n: int, stored: PyTree, axis: int = 0) -> PyTree:
    """Entries 0, n, 2n … of all arrays along an axis."""
    return jax.tree.map(lambda x: x[(slice(None),) * axis + (slice(None, None, n),)], stored)


def path_log_probs(policy: Reactive, paths: Trajectories) -> Float[Array, "k time"]:
    """log π(a_t) of the actions that were taken."""
    return policy_actions(policy, paths).log_prob(paths.action)


def policy_actions(policy: Reactive, paths: Trajectories) -> Any:
    """π(· | o_t) at every step, `[K, time]`."""
    k, time = paths.reward.shape
    flat = policy.actions(paths.observation.reshape(k * time, *paths.observation.shape[2:]))
    return jax.tree.map(lambda x: x.reshape(k, time, *x.shape[1:]), flat)
