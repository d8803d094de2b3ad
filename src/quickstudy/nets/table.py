"""A memory that counts, for tasks with few states and actions, whose names mean nothing.

What is known of every action in every state is written into a table, and one small network reads
all its entries alike: weights are shared among actions and states, as in Kirsch et al. (2022,
https://arxiv.org/abs/2109.10781). Values are passed from states to the actions that lead there, as
in value iteration networks (Tamar et al., 2016, https://arxiv.org/abs/1602.02867).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.errors import demand_counts
from quickstudy.nets.memory import AtOnce, State, sums_since
from quickstudy.nets.mlp import MLP
from quickstudy.nets.network import Linear, Network

FACTS = 7  # numbers that an entry of the table is read from


class Written(NamedTuple):
    """What is remembered.

    Attributes:
        table: `[states, actions, 2 + states]`, flat: how often each action was taken in each
            state, the sum of its rewards, and how often each state followed within an episode.
        clock: steps since this episode began; −1 before the first.
        last: the last observation; zeros before the first.
    """

    table: Float[Array, " entries"]
    clock: Float[Array, ""]
    last: Float[Array, " states"]


class TableMemory(AtOnce):
    """Counts and rewards of every action in every state, read by the same weights everywhere.

        h⁰(s, a) = φ(N(s, a), Σ r, time),        u(s) = (mean_a, max_a) h(s, a),
        h(s, a) ← ρ(h⁰(s, a), Σ_s' P(s' | s, a) u(s')),   P = (N(s, a, s') + 1) / (Σ N + |S|)

    and after `rounds` of the latter, h_t holds a row for each action in s_t. To rename states or
    actions renames what is answered and changes nothing else, so that what is learned of one arm
    is known of all: it is told more than the other memories, which must learn that. Observations
    are one-hot states, or nothing where there are none; an input x_t begins with o_t and goes on
    with a_{t−1} (one-hot), r_{t−1} and done.

    Attributes:
        entry: φ.
        backup: ρ.
        states: |S|; 0 where nothing is observed.
        actions: |A|.
        rounds: how often values are passed on: how many steps ahead it can think.
        past: the steps of a trial, of which it is told how many are over.
        horizon: the steps of an episode, likewise.
        features: the size of h_t, |A| rows of the same width.
    """

    entry: MLP
    backup: MLP
    states: int = eqx.field(static=True)
    actions: int = eqx.field(static=True)
    rounds: int = eqx.field(static=True)
    past: int = eqx.field(static=True)
    horizon: int = eqx.field(static=True)

    @classmethod
    def create(
        cls,
        states: int,
        actions: int,
        width: int = 16,
        *,
        rounds: int = 1,
        past: int,
        horizon: int = 1,
        key: PRNGKeyArray,
    ) -> "TableMemory":
        """φ and ρ with one hidden layer of `width`, the size of a row.

        Args:
            states: |S|, the size of an observation; 0 where nothing is observed.
            actions: |A|.
            width: of a row.
            rounds: how often values are passed on.
            past: the steps of a trial.
            horizon: the steps of an episode.
            key: consumed.

        Raises:
            BadInput: no action, or a length that is not positive.

        Example:
            >>> memory = TableMemory.create(0, 5, 8, past=100, key=jax.random.key(0))
            >>> memory.step(memory.initial(), jnp.ones(5 + 3))[1].shape
            (40,)
        """
        demand_counts(actions=actions, width=width, past=past, horizon=horizon)
        entry_key, backup_key = jax.random.split(key)
        entry = MLP(FACTS, (width, width), last=jax.nn.relu, key=entry_key)
        backup = MLP(3 * width, (width, width), last=jax.nn.relu, key=backup_key)
        sizes = (states, actions, rounds, past, horizon)
        return cls(entry, backup, *sizes, features=actions * width)

    @property
    def places(self) -> int:
        """The rows of the table: one where nothing is observed."""
        return max(self.states, 1)

    def initial(self) -> State:
        size = self.places * self.actions * (2 + self.places)
        return Written(jnp.zeros(size), -jnp.ones(()), jnp.zeros(self.places))

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        observed, action, (reward, done) = self._told(xs)
        # What led to an observation at a reset, or to the very first, is not known.
        before = jnp.concatenate([state.last[None], observed[:-1]]) * ~resets[:, None]
        # What is seen after an end is the next episode's start, and not where the action led.
        follows = observed * (1 - done)[:, None]
        facts = jnp.concatenate([jnp.stack([jnp.ones_like(reward), reward], -1), follows], -1)
        entries = jnp.einsum("ts,ta,tf->tsaf", before, action, facts).reshape(len(xs), -1)
        table = sums_since(entries, resets, state.table)
        begins = resets | (done > 0.5)
        ticks = jnp.where(begins, 0.0, 1.0)
        clock = sums_since(ticks[:, None], begins, state.clock[None])[:, 0]
        rows = jax.vmap(self._rows)(table, clock, observed)
        return Written(table[-1], clock[-1], observed[-1]), rows

    def readouts(self, actions: int) -> tuple[Network, Network]:
        """The same weights for the row of every action, and for V what they have in common."""
        width = self.features // self.actions
        each, common = Linear.zeros(width, 1), Linear.zeros(2 * width, 1)
        return EachAction(each, self.actions), AllActions(common, self.actions)

    def _told(self, xs: Float[Array, "time d"]) -> tuple[Array, Array, Float[Array, "2 time"]]:
        """States and actions, one-hot, and of each step its reward and whether it ended."""
        acts, ends = self.states, self.states + self.actions
        observed = xs[:, :acts] if self.states else jnp.ones((len(xs), 1), xs.dtype)
        return observed, xs[:, acts:ends], xs[:, ends : ends + 2].T

    def _rows(
        self, table: Float[Array, " entries"], clock: Float[Array, ""], observed: Float[Array, " s"]
    ) -> Float[Array, " h"]:
        """h(s_t, ·)."""
        s, a = self.places, self.actions
        count, reward, *_ = facts = table.reshape(s * a, 2 + s).T
        follows = facts[2:].T
        time = jnp.sum(count)
        common = jnp.stack([time / self.past, jnp.log1p(time), clock / self.horizon])
        # 1 / √(1 + N) is the scale of the error of a mean of N rewards, which exploration goes by.
        own = (reward / (1 + count), jnp.log1p(count), 1 / jnp.sqrt(1 + count), count / self.past)
        told = [jnp.stack(own, -1), jnp.broadcast_to(common, (s * a, len(common)))]
        first = h = self.entry(jnp.concatenate(told, -1))
        # The mean of the posterior under a flat Dirichlet, from which RL²'s tables are drawn.
        leads = (follows + 1) / (jnp.sum(follows, -1, keepdims=True) + s)
        for _ in range(self.rounds):
            values = _pooled(h.reshape(s, a, -1))
            h = self.backup(jnp.concatenate([first, leads @ values], -1))
        return observed @ h.reshape(s, -1)


class EachAction(eqx.Module):
    """One number for each action, from its own row, by the same weights.

    Attributes:
        linear: from a row to a number.
        actions: |A|.
    """

    linear: Linear
    actions: int = eqx.field(static=True)

    def __call__(self, x: Float[Array, "n h"]) -> Float[Array, "n actions"]:
        return self.linear(x.reshape(len(x) * self.actions, -1)).reshape(len(x), -1)


class AllActions(eqx.Module):
    """One number from all actions' rows, whatever their order.

    Attributes:
        linear: from the mean and the maximum of the rows.
        actions: |A|.
    """

    linear: Linear
    actions: int = eqx.field(static=True)

    def __call__(self, x: Float[Array, "n h"]) -> Float[Array, "n 1"]:
        return self.linear(_pooled(x.reshape(len(x), self.actions, -1)))


def _pooled(rows: Float[Array, "n actions w"]) -> Float[Array, "n pooled"]:
    """The mean over actions, and the maximum."""
    return jnp.concatenate([jnp.mean(rows, 1), jnp.max(rows, 1)], -1)
