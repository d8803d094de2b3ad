"""A belief over tasks: what was seen in a trial, as a Gaussian over a hidden vector."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.nets.memory import AtOnce, Memory, State
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Headed, Linear
from quickstudy.rl.distributions import Gaussian
from quickstudy.rl.policy import MetaPolicy
from quickstudy.rl.trial import Seen, Trial


class TaskBelief(Memory):
    """q(m | τ_:t), what is believed of the task after the steps that were seen (Zintgraf et al.,
    2020, VariBAD, https://arxiv.org/abs/1910.08348).

        h_t = memory(h_{t−1}, (o_t, a_{t−1}, r_{t−1}, d_{t−1})),   q_t = N(μ_t, σ_t²),
        (μ_t, log σ_t) = h_t W,   h_0 = 0

    At a trial's first step no transition has been seen: whatever was learned, q_0 is the prior
    N(0, I), for W has no bias.

    As a memory it answers (o_t, μ_t, σ_t). No gradient comes back through that answer: what
    reads it does not change what is believed.

    Attributes:
        memory: reads `Seen.flat()`.
        head: W.
        observed: the size of an observation; inputs begin with it.
        features: of the answer, `observed` + 2 · the size of m.

    Example:
        >>> from quickstudy.nets.memory import GRU
        >>> keys = jax.random.split(jax.random.key(0))
        >>> memory = GRU.create(3 + 2 + 3, 16, key=keys[0])
        >>> belief = TaskBelief.create(memory, 5, observed=3, key=keys[1])
        >>> first = jnp.zeros(8).at[-1].set(1.0)
        >>> belief.step(belief.initial(), first)[1][3:].tolist() == [0.0] * 5 + [1.0] * 5
        True
    """

    memory: Memory
    head: Float[Array, "h latents"]
    observed: int = eqx.field(static=True)

    @classmethod
    def create(
        cls, memory: Memory, latent: int = 5, *, observed: int, key: PRNGKeyArray
    ) -> "TaskBelief":
        """W drawn with variance 1 / fan-in; the key is consumed.

        Args:
            memory: reads what the policy is told.
            latent: the size of m.
            observed: the size of an observation.
            key: consumed.
        """
        shape = (memory.features, 2 * latent)
        head = jax.random.normal(key, shape) / jnp.sqrt(memory.features)
        return cls(memory, head, observed, features=observed + 2 * latent)

    def initial(self) -> State:
        """The state before anything was seen."""
        return self.memory.initial()

    def clear(self, state: State, reset: Bool[Array, ""]) -> State:
        """The state before anything was seen where `reset` is set, else `state`."""
        return self.memory.clear(state, reset)

    def step(self, state: State, x_t: Float[Array, " d"]) -> tuple[State, Float[Array, " h"]]:
        """Read one step."""
        state, h_t = self.memory.step(state, x_t)
        return state, self._told(x_t[None], h_t[None])[0]

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        """Read many steps."""
        state, hs = self.memory.sequence(state, xs, resets)
        return state, self._told(xs, hs)

    def posteriors(self, xs: Float[Array, "time d"]) -> Gaussian:
        """q_0, q_1, ... of a whole trial, `[time]`; gradients come back through these."""
        return self._posteriors(xs, self.memory.whole(xs, _first(xs))[1])

    @property
    def reach(self) -> int | None:
        """As far as the memory's."""
        return self.memory.reach

    def _posteriors(self, xs: Float[Array, "time d"], hs: Float[Array, "time h"]) -> Gaussian:
        known = jnp.where(_first(xs)[:, None], 0.0, hs)
        mean, log_std = jnp.split(known @ self.head, 2, axis=-1)
        return Gaussian(mean, log_std)

    def _told(self, xs: Float[Array, "time d"], hs: Float[Array, "time h"]) -> Array:
        q = jax.lax.stop_gradient(self._posteriors(xs, hs))
        # log σ comes to −4.5, and a policy that reads it learns more slowly (results/LAB.md,
        # GridNavi).
        return jnp.concatenate([xs[:, : self.observed], q.mean, jnp.exp(q.log_std)], axis=-1)


def _first(xs: Float[Array, "time d"]) -> Bool[Array, " time"]:
    """Which steps begin a trial: the last of the flags in `Seen.flat()`."""
    return xs[:, -1] > 0.5


class Passing(AtOnce):
    """h_t = x_t, for what was worked out before.

    Example:
        >>> Passing(features=2).step((), jnp.ones(2))[1].tolist()
        [1.0, 1.0]
    """

    def initial(self) -> State:
        """Nothing."""
        return ()

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        """The inputs."""
        return (), xs


def belief_policy(
    trial: Trial, belief: TaskBelief, widths: tuple[int, ...], *, key: PRNGKeyArray
) -> MetaPolicy:
    """A policy π(a | o_t, μ_t, σ_t) that finds all actions equally good at first.

    Args:
        trial: what it will act in.
        belief: reads inputs of the size `trial.inputs`.
        widths: of the hidden layers, of the actor's and of the critic's.
        key: consumed.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> from quickstudy.nets.memory import GRU
        >>> trial = Trial(Bandit(arms=3), episodes=4)
        >>> memory = GRU.create(trial.inputs, 8, key=jax.random.key(0))
        >>> belief = TaskBelief.create(memory, 2, observed=0, key=jax.random.key(1))
        >>> policy = belief_policy(trial, belief, (16,), key=jax.random.key(2))
        >>> policy.actor(jnp.ones((1, belief.features))).tolist()
        [[0.0, 0.0, 0.0]]
    """
    policy = MetaPolicy.create(trial, belief)
    keys = jax.random.split(key)
    bodies = [MLP(belief.features, widths, last=jax.nn.relu, key=k) for k in keys]
    outputs = (trial.environment.actions.size, 1)
    heads = [Headed(b, Linear.zeros(widths[-1], n)) for b, n in zip(bodies, outputs, strict=True)]
    return replace(policy, actor=heads[0], critic=heads[1])


def reading_beliefs(policy: MetaPolicy) -> MetaPolicy:
    """The same actor and critic, for steps whose beliefs are already worked out: as observations,
    by `believed`."""
    return replace(policy, memory=Passing(features=policy.memory.features), told=_as_observed)


def believed(policy: MetaPolicy, seen: Seen) -> Seen:
    """A trial, `[time]`, with what a policy believed in the place of what it observed.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> from quickstudy.nets.memory import GRU
        >>> from quickstudy.oracles.simple import Random
        >>> from quickstudy.rl.rollout import rollout
        >>> trial = Trial(Bandit(arms=3), episodes=4)
        >>> memory = GRU.create(trial.inputs, 8, key=jax.random.key(0))
        >>> belief = TaskBelief.create(memory, 2, observed=0, key=jax.random.key(1))
        >>> policy = belief_policy(trial, belief, (16,), key=jax.random.key(2))
        >>> task, key = trial.environment.sample(jax.random.key(3)), jax.random.key(4)
        >>> seen = rollout(Random(trial.environment), trial, task, key).seen
        >>> thought = reading_beliefs(policy).rethink(None, believed(policy, seen))
        >>> bool(jnp.allclose(thought.value, policy.rethink(None, seen).value))
        True
    """
    xs = jax.vmap(policy.told)(seen)
    return seen._replace(observation=policy.memory.whole(xs, policy.forgets(seen))[1])


def _as_observed(seen: Seen) -> Float[Array, " inputs"]:
    return seen.observation
