"""Strategies for Bernoulli bandits, and one simulator that plays them all on the same bandits.

A strategy sees what each arm has paid, `wins` and `losses` `[k]`, and how many pulls are `left`,
this one included. Arms have the prior U[0, 1] = Beta(1, 1) of `envs.bandit`, which is known: the
posterior mean of an arm is (1 + wins) / (2 + wins + losses). The selection is that of Duan et
al., 2016 (RL², https://arxiv.org/abs/1611.02779, section 3.1), who tuned UCB1's c and ε.
"""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.envs.bandit import Arms, Bandit
from quickstudy.errors import BadInput
from quickstudy.oracles.posterior import beta

Counts = Int[Array, " k"]
Count = Int[Array, ""]


class Strategy(eqx.Module):
    """A rule that says which arm to pull."""

    @abc.abstractmethod
    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The arm to pull. The key is consumed.

        Args:
            key: a random key.
            wins: `[k]`, how often each arm paid.
            losses: `[k]`, how often it did not.
            left: pulls left, at least 1.
        """

    def check(self, arms: int, pulls: int) -> None:
        """Whether the rule is made for such bandits; most are made for all.

        Raises:
            BadInput: it is not.
        """


class RandomArm(Strategy):
    """Any arm, equally likely: what knowing nothing gives, n/2 in expectation."""

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """An arm."""
        return jax.random.randint(key, (), 0, wins.shape[0])


class Greedy(Strategy):
    """argmax_i of the posterior mean, equal ones at random.

    Taking the first of equal ones, as RL²'s figures suggest, scores less: it tries fewer arms.

    Example:
        >>> wins, losses = jnp.array([2, 0, 0]), jnp.array([2, 1, 2])
        >>> Greedy().choose(jax.random.key(0), wins, losses, jnp.array(1)).item()
        0
    """

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The best arm so far."""
        mean = posterior_mean(wins, losses)
        ticket = jax.random.uniform(key, mean.shape)
        return jnp.argmax(jnp.where(mean == mean.max(), ticket, -1.0))


class EpsilonGreedy(Strategy):
    """With probability ε any arm, else as `Greedy`.

    Of 0, 0.01, 0.02, 0.05, 0.1 and 0.2 the default is best for 500 pulls; for 10 and 100, 0 is.

    Attributes:
        epsilon: ε.
    """

    epsilon: float = eqx.field(static=True, default=0.05)

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The best arm so far, or any."""
        coin_key, random_key, greedy_key = jax.random.split(key, 3)
        anything = RandomArm().choose(random_key, wins, losses, left)
        best = Greedy().choose(greedy_key, wins, losses, left)
        return jnp.where(jax.random.uniform(coin_key) < self.epsilon, anything, best)


class UCB1(Strategy):
    """argmax_i  μ_i + c √(2 ln t / T_i)  (Auer et al., 2002, https://doi.org/10.1023/A:1013689704352).

    t counts this pull; every arm begins with one success and one failure, as in RL², so that
    μ_i is the posterior mean and T_i the pulls of the arm plus 2. The original has c = 1, which
    explores far too much here; of 0.1, 0.2, 0.3, 0.4, 0.6 and 1 the default is best for 100 and 500
    pulls of 5, 10 and 50 arms, and 0.1 for 10 pulls.

    Attributes:
        c: the weight of what is unknown.
    """

    c: float = eqx.field(static=True, default=0.2)

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The arm with the largest upper confidence bound; of equal ones, the first."""
        tried = wins + losses
        width = jnp.sqrt(2 * jnp.log(1.0 + tried.sum()) / (2 + tried))
        return jnp.argmax(posterior_mean(wins, losses) + self.c * width)


class Thompson(Strategy):
    """argmax_i of one draw from each arm's posterior.

    (Thompson, 1933, https://doi.org/10.1093/biomet/25.3-4.285.)
    """

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The arm that is best in the drawn bandit."""
        return jnp.argmax(beta(key, 1.0 + wins, 1.0 + losses))


class OptimisticThompson(Strategy):
    """As `Thompson`, with every draw raised to the posterior mean at least.

    (May et al., 2012, https://jmlr.org/papers/v13/may12a.html.)
    """

    def choose(self, key: PRNGKeyArray, wins: Counts, losses: Counts, left: Count) -> Count:
        """The arm that is best in the drawn bandit."""
        drawn = beta(key, 1.0 + wins, 1.0 + losses)
        return jnp.argmax(jnp.maximum(drawn, posterior_mean(wins, losses)))


def posterior_mean(wins: Counts, losses: Counts) -> Float[Array, " k"]:
    """(1 + wins) / (2 + wins + losses)."""
    return (1.0 + wins) / (2.0 + wins + losses)


class Pulls(NamedTuple):
    """What was played.

    Attributes:
        arms: `[instances, pulls]`, the arms pulled.
        rewards: `[instances, pulls]`, 0 or 1.
    """

    arms: Int[Array, "instances pulls"]
    rewards: Float[Array, "instances pulls"]

    @property
    def total(self) -> Float[Array, " instances"]:
        """Each bandit's total reward: the score of RL²."""
        return self.rewards.sum(-1)


def play_bandits(strategy: Strategy, tasks: Arms, pulls: int, *, key: PRNGKeyArray) -> Pulls:
    """Play each bandit from scratch.

    Args:
        strategy: the rule.
        tasks: bandits with a leading axis: `p` is `[instances, k]` (`draw_tasks`, or a learner's
            test tasks).
        pulls: n.
        key: bandit i uses `fold_in(key, i)`. With the same key all strategies meet the same
            luck (an arm pulled at time t pays or not regardless of what came before), so their
            differences are less noisy than their scores.

    Raises:
        BadInput: no pull, tasks without a leading axis, or a rule made for other bandits.

    Example:
        >>> from quickstudy.oracles.instances import draw_tasks
        >>> tasks = draw_tasks(Bandit(arms=5), 100, key=jax.random.key(0))
        >>> played = play_bandits(Greedy(), tasks, 10, key=jax.random.key(1))
        >>> played.arms.shape, played.total.shape, bool(played.total.mean() > 5.5)
        ((100, 10), (100,), True)
    """
    if pulls < 1 or tasks.p.ndim != 2:
        raise BadInput(
            f"{pulls} pulls of bandits whose p has the shape {tasks.p.shape}; "
            "give 1 pull or more, and p of the shape [instances, arms]"
        )
    strategy.check(tasks.p.shape[1], pulls)
    return _play(strategy, tasks, pulls, key)


@eqx.filter_jit
def _play(strategy: Strategy, tasks: Arms, pulls: int, key: PRNGKeyArray) -> Pulls:
    bandit = Bandit(arms=tasks.p.shape[1])

    def play(task: Arms, number: Array) -> tuple[Array, Array]:
        own = jax.random.fold_in(key, number)

        def pull(counts: tuple[Array, Array], t: Array) -> tuple[tuple[Array, Array], Any]:
            # By time, whatever was pulled before: all strategies meet the same luck.
            choose_key, pay_key = jax.random.split(jax.random.fold_in(own, t))
            arm = strategy.choose(choose_key, *counts, pulls - t)
            reward = bandit.step(pay_key, None, arm, task).reward
            paid = reward.astype(jnp.int32)
            wins, losses = counts
            return (wins.at[arm].add(paid), losses.at[arm].add(1 - paid)), (arm, reward)

        zeros = jnp.zeros(bandit.arms, jnp.int32)
        return jax.lax.scan(pull, (zeros, zeros), jnp.arange(pulls))[1]

    return Pulls(*jax.vmap(play)(tasks, jnp.arange(tasks.p.shape[0])))


def best_arm(tasks: Arms, pulls: int) -> Float[Array, " instances"]:
    """n max_i p_i, the expected total of an oracle that knows the bandit.

    Example:
        >>> tasks = jax.vmap(Arms)(jnp.array([[0.25, 0.75], [0.5, 0.25]]))
        >>> best_arm(tasks, pulls=10).tolist()
        [7.5, 5.0]
    """
    return pulls * tasks.p.max(-1)
