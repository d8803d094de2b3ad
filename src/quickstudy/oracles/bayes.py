"""The Bayes-optimal value of a Bernoulli bandit, by dynamic programming over beliefs.

An arm that paid s times and failed f times has the belief Beta(1 + s, 1 + f). Arms are
exchangeable, so the state is the multiset of the tried arms' (s, f):

    V(b) = max_i  p_i (1 + V(b with s_i + 1)) + (1 − p_i) V(b with f_i + 1)
    p_i = (1 + s_i) / (2 + s_i + f_i)

(Bellman, 1956, "A problem in the sequential design of experiments",
https://www.jstor.org/stable/25048278). The number of states grows about 1.8-fold with each pull:
2,296 for ten pulls of ten arms, 91,206 for sixteen.
"""

from functools import cache
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray, UInt32

from quickstudy.errors import BadInput
from quickstudy.oracles.bandits import Count, Counts, Strategy

ArmBelief = tuple[int, int]
Beliefs = tuple[ArmBelief, ...]
UNTRIED: ArmBelief = (0, 0)


class BanditSolution(NamedTuple):
    """What the dynamic programme gives.

    Attributes:
        value: the expected total reward.
        decisions: for each multiset of tried arms' (s, f), sorted, the (s, f) of an arm to pull.
    """

    value: float
    decisions: dict[Beliefs, ArmBelief]


@cache
def solve(arms: int, pulls: int) -> BanditSolution:
    """V at the start, and an optimal decision in every state reached with pulls left.

    Args:
        arms: k; those beyond the number of pulls change nothing.
        pulls: n; ten take a tenth of a second, sixteen a few seconds.

    Raises:
        BadInput: no arm, or no pull.

    Example:
        One pull gives 1/2; with two, a success is followed by the same arm, a failure by another:
        1/2 + (1/2)(2/3) + (1/2)(1/2).

        >>> solve(arms=5, pulls=1).value, round(solve(arms=5, pulls=2).value, 4)
        (0.5, 1.0833)
        >>> solve(arms=5, pulls=2).decisions[((0, 1),)]
        (0, 0)
    """
    if arms < 1 or pulls < 1:
        raise BadInput(f"{arms} arms and {pulls} pulls; a bandit has one or more of each")
    decisions: dict[Beliefs, ArmBelief] = {}

    @cache
    def value(beliefs: Beliefs, left: int) -> float:
        if left == 0:
            return 0.0
        choices = {*beliefs, UNTRIED} if len(beliefs) < arms else {*beliefs}
        # Sorted, so that of equally good arms the same one is taken every time.
        best, chosen = max((pull(beliefs, arm, left), arm) for arm in sorted(choices))
        decisions[beliefs] = chosen
        return best

    def pull(beliefs: Beliefs, arm: ArmBelief, left: int) -> float:
        others = list(beliefs)
        if arm != UNTRIED:
            others.remove(arm)
        (s, f) = arm
        paid = value(tuple(sorted([*others, (s + 1, f)])), left - 1)
        failed = value(tuple(sorted([*others, (s, f + 1)])), left - 1)
        p = (1 + s) / (2 + s + f)
        return p * (1 + paid) + (1 - p) * failed

    return BanditSolution(value((), pulls), decisions)


class BayesOptimal(Strategy):
    """Plays what `solve` decides; of arms with the same belief, the first.

    A state is looked up by a hash that does not depend on the order of the arms: the sum, modulo
    2³², of a random number for each arm's (s, f). (Zobrist, 1970.)

    Attributes:
        numbers: `[pulls + 1, pulls + 1]`, the random number of each (s, f); 0 for (0, 0).
        states: `[states]`, the hashes in ascending order.
        pull: `[states, 2]`, the (s, f) of the arm to pull.
        arms: k.
        pulls: n.

    Example:
        >>> import jax
        >>> strategy = BayesOptimal.of(arms=3, pulls=4)
        >>> wins, losses = jnp.array([0, 2, 0]), jnp.array([1, 0, 0])
        >>> strategy.choose(jax.random.key(0), wins, losses, jnp.array(1)).item()
        1
    """

    numbers: UInt32[Array, "s f"]
    states: UInt32[Array, " states"]
    pull: Int[Array, "states 2"]
    arms: int = eqx.field(static=True)
    pulls: int = eqx.field(static=True)

    @classmethod
    def of(cls, arms: int, pulls: int) -> "BayesOptimal":
        """The strategy for k = `arms` and n = `pulls`; errors as in `solve`."""
        decisions = solve(arms, pulls).decisions
        for seed in range(100):
            drawn = np.random.default_rng(seed).integers(0, 2**32, (pulls + 1, pulls + 1))
            # Untried arms add nothing, so that any number of them is the same state.
            drawn[UNTRIED] = 0
            hashes = np.array([sum(int(drawn[b]) for b in state) % 2**32 for state in decisions])
            order = np.argsort(hashes)
            # Equal hashes of two states would mix them up: with other numbers they differ.
            if np.all(np.diff(hashes[order]) > 0):
                break
        else:
            raise BadInput(f"{len(decisions)} states are too many for hashes of 32 bits")
        chosen = np.array(list(decisions.values()), np.int32)[order]
        numbers, states = drawn.astype(np.uint32), hashes[order].astype(np.uint32)
        tables = jnp.asarray(numbers), jnp.asarray(states), jnp.asarray(chosen)
        return cls(*tables, arms, pulls)

    def check(self, arms: int, pulls: int) -> None:
        """The same k and n; arms beyond n do not count."""
        if pulls != self.pulls or min(arms, pulls) != min(self.arms, pulls):
            raise BadInput(
                f"the decisions are for {self.pulls} pulls of {self.arms} arms, the bandits have "
                f"{pulls} and {arms}; give BayesOptimal.of({arms}, {pulls})"
            )

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The first arm with the belief that the solution names."""
        state = jnp.sum(self.numbers[wins, losses], dtype=jnp.uint32)
        s, f = self.pull[jnp.searchsorted(self.states, state)]
        return jnp.argmax((wins == s) & (losses == f))
