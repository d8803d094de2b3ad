"""Planners for unknown tabular MDPs, and one simulator that plays them all on the same MDPs.

A planner turns what is believed of an MDP into a policy once per episode. The prior is that of
`envs.tabular`, and known: P(· | s, a) ~ Dirichlet(1), mean rewards ~ N(1, 1), noise of variance
1. After n visits that paid `paid` in total,

    P(· | s, a) ~ Dirichlet(1 + moves(s, a, ·)),   r(s, a) ~ N((1 + paid) / (1 + n), 1 / (1 + n))

The selection is that of Duan et al., 2016 (RL², https://arxiv.org/abs/1611.02779, section 3.2).
"""

import abc
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.envs.tabular import Table, TabularMDP
from quickstudy.errors import BadInput
from quickstudy.oracles.planning import (
    Policy,
    extended_value_iteration,
    policy_of,
    value_iteration,
)
from quickstudy.oracles.posterior import dirichlet


class Belief(eqx.Module):
    """What has been seen of one MDP.

    Attributes:
        moves: `[states, actions, states]`, how often s, a led to s'.
        paid: `[states, actions]`, the total of its rewards.
        horizon: T, the steps of an episode.

    Example:
        >>> belief = Belief.before(TabularMDP(states=2, choices=1))
        >>> state, action, after = jnp.array(0), jnp.array(0), jnp.array(1)
        >>> belief = belief.after(state, action, jnp.array(4.0), after)
        >>> [round(p, 3) for p in belief.mean().transitions[0, 0].tolist()]
        [0.333, 0.667]
        >>> belief.mean().rewards[:, 0].tolist()
        [2.5, 1.0]
    """

    moves: Float[Array, "s a s"]
    paid: Float[Array, "s a"]
    horizon: int = eqx.field(static=True)

    @classmethod
    def before(cls, environment: TabularMDP) -> "Belief":
        """Nothing."""
        shape = (environment.states, environment.choices)
        return cls(jnp.zeros((*shape, shape[0])), jnp.zeros(shape), environment.horizon)

    def after(
        self, state: Int[Array, ""], action: Int[Array, ""], reward: Array, after: Int[Array, ""]
    ) -> "Belief":
        """With one step more, s, a, r, s'."""
        moves = self.moves.at[state, action, after].add(1)
        return Belief(moves, self.paid.at[state, action].add(reward), self.horizon)

    @property
    def visits(self) -> Float[Array, "s a"]:
        """n(s, a)."""
        return self.moves.sum(-1)

    def mean(self) -> Table:
        """The posterior mean of transitions and rewards."""
        alpha = 1 + self.moves
        return Table(alpha / alpha.sum(-1, keepdims=True), (1 + self.paid) / (1 + self.visits))

    def draw(self, key: PRNGKeyArray) -> Table:
        """One MDP from the posterior. The key is consumed."""
        p_key, r_key = jax.random.split(key)
        noise = jax.random.normal(r_key, self.paid.shape) / jnp.sqrt(1 + self.visits)
        return Table(dirichlet(p_key, 1 + self.moves), self.mean().rewards + noise)


class Planner(eqx.Module):
    """A rule that turns a belief into an episode's policy."""

    @abc.abstractmethod
    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """The actions `[T, states]` of the next episode. The key is consumed."""


class RandomPolicy(Planner):
    """Any action, equally likely: 1 per step in expectation."""

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Random actions."""
        states, actions = belief.paid.shape
        return jax.random.randint(key, (belief.horizon, states), 0, actions)


class GreedyPlanner(Planner):
    """The optimal policy of the posterior mean."""

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Value iteration."""
        return policy_of(value_iteration(belief.mean(), belief.horizon))


class EpsilonGreedyPlanner(Planner):
    """As `GreedyPlanner`, with any action in place of a step's with probability ε.

    Of 0.02, 0.05, 0.1 and 0.2 the default is best for 100 episodes; for 10 and 25, 0 is better.

    Attributes:
        epsilon: ε.
    """

    epsilon: float = eqx.field(static=True, default=0.05)

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Value iteration; each step and state of an episode is met once at most."""
        coin_key, random_key, greedy_key = jax.random.split(key, 3)
        anything = RandomPolicy().plan(random_key, belief)
        best = GreedyPlanner().plan(greedy_key, belief)
        return jnp.where(jax.random.uniform(coin_key, best.shape) < self.epsilon, anything, best)


class PSRL(Planner):
    """Posterior sampling: the optimal policy of one MDP drawn from the posterior.

    (Strens, 2000; Osband et al., 2013, https://arxiv.org/abs/1306.0940.)
    """

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Value iteration in the drawn MDP."""
        return policy_of(value_iteration(belief.draw(key), belief.horizon))


class OptimisticPSRL(Planner):
    """argmax_a max_j Q^j_h(s, a), over several MDPs j drawn from the posterior.

    (Osband and Van Roy, 2017, https://arxiv.org/abs/1607.00215, section 5, and its experiments.)

    Attributes:
        samples: how many MDPs.
    """

    samples: int = eqx.field(static=True, default=5)

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Value iteration in each drawn MDP."""

        def solve(key: PRNGKeyArray) -> Array:
            return value_iteration(belief.draw(key), belief.horizon)

        return policy_of(jax.vmap(solve)(jax.random.split(key, self.samples)).max(0))


class UCRL2(Planner):
    """The optimal policy of the best MDP within confidence regions (Jaksch et al., 2010).

    https://jmlr.org/papers/v11/jaksch10a.html: at the step t, with n = max(1, visits),

        |r' − r| ≤ c √(7 ln(2 S A t / δ) / 2n),   ‖P' − P‖₁ ≤ c √(14 S ln(2 A t / δ) / n)

    around the posterior means, planned anew in every episode rather than when visits double, for
    a finite horizon by extended value iteration. The proof has c = 1, which explores far too
    much here; of 0.02, 0.05, 0.1, 0.15, 0.2 and 0.3 the default is best for 50 to 100 episodes.

    Attributes:
        c: what the radii are multiplied by.
        delta: δ, the chance that the true MDP lies outside.
    """

    c: float = eqx.field(static=True, default=0.05)
    delta: float = eqx.field(static=True, default=0.05)

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Extended value iteration."""
        states, actions = belief.paid.shape
        n = jnp.maximum(belief.visits, 1)
        t = 1 + belief.visits.sum()
        r_radius = self.c * jnp.sqrt(7 * jnp.log(2 * states * actions * t / self.delta) / (2 * n))
        p_radius = self.c * jnp.sqrt(14 * states * jnp.log(2 * actions * t / self.delta) / n)
        mean = belief.mean()
        model = Table(mean.transitions, mean.rewards + r_radius)
        return policy_of(extended_value_iteration(model, p_radius, belief.horizon))


class BEB(Planner):
    """The optimal policy of the posterior mean with r(s, a) + β / (1 + α₀(s, a)).

    α₀ is the sum of the Dirichlet's parameters, |S| before any visit (Kolter and Ng, 2009,
    https://doi.org/10.1145/1553374.1553441, "Near-Bayesian exploration in polynomial time").

    Attributes:
        beta: β; the proof's 2 T² explores far too much here; of 5, 10, 20, 30 and 50 the default is
            best for 10 to 100 episodes.
    """

    beta: float = eqx.field(static=True, default=10.0)

    def plan(self, key: PRNGKeyArray, belief: Belief) -> Policy:
        """Value iteration with the bonus."""
        mean = belief.mean()
        bonus = self.beta / (1 + belief.paid.shape[0] + belief.visits)
        model = Table(mean.transitions, mean.rewards + bonus)
        return policy_of(value_iteration(model, belief.horizon))


class PlayedEpisodes(NamedTuple):
    """What was played.

    Attributes:
        returns: `[instances, episodes]`, each episode's reward; a trial's score is the sum.
        belief: at the end, with a leading axis of instances.
    """

    returns: Float[Array, "instances episodes"]
    belief: Belief


def play_tabular(
    planner: Planner, environment: TabularMDP, tasks: Table, episodes: int, *, key: PRNGKeyArray
) -> PlayedEpisodes:
    """Play each MDP from scratch.

    The belief takes in every transition, also an episode's last, whose s' a meta-policy in a
    trial does not see.

    Args:
        planner: the rule.
        environment: the family, which says how many steps an episode has.
        tasks: MDPs with a leading axis (`draw_tasks`, or a learner's test tasks).
        episodes: n. What is played first does not depend on n: the sum of the first ten returns
            is the score for n = 10.
        key: MDP i uses `fold_in(key, i)`. With the same key all planners meet the same luck.

    Raises:
        BadInput: no episode, or tasks without a leading axis or of another size.

    Example:
        >>> from quickstudy.oracles.instances import draw_tasks
        >>> mdp = TabularMDP(states=3, choices=2, horizon=4)
        >>> tasks = draw_tasks(mdp, 20, key=jax.random.key(0))
        >>> played = play_tabular(PSRL(), mdp, tasks, 5, key=jax.random.key(1))
        >>> played.returns.shape, played.belief.moves[0].sum().item()
        ((20, 5), 20.0)
    """
    size = (environment.states, environment.choices)
    if episodes < 1 or tasks.rewards.ndim != 3 or tasks.rewards.shape[1:] != size:
        raise BadInput(
            f"{episodes} episodes of MDPs whose rewards have the shape {tasks.rewards.shape}; "
            f"give 1 episode or more, and rewards of the shape [instances, {size[0]}, {size[1]}]"
        )
    return _play(planner, environment, tasks, episodes, key)


@eqx.filter_jit
def _play(
    planner: Planner, environment: TabularMDP, tasks: Table, episodes: int, key: PRNGKeyArray
) -> PlayedEpisodes:
    def play(task: Table, number: Array) -> PlayedEpisodes:
        own = jax.random.fold_in(key, number)

        def episode(belief: Belief, t: Array) -> tuple[Belief, Array]:
            # By episode, and below by step, whatever is planned: all planners meet the same luck.
            plan_key, reset_key, act_key = jax.random.split(jax.random.fold_in(own, t), 3)
            policy = planner.plan(plan_key, belief)

            def act(carry: tuple[Array, Belief], h: Array) -> tuple[tuple[Array, Belief], Array]:
                state, belief = carry
                action = policy[h, state]
                after = environment.step(jax.random.fold_in(act_key, h), state, action, task)
                belief = belief.after(state, action, after.reward, after.state)
                return (after.state, belief), after.reward

            start = (environment.reset(reset_key, task)[0], belief)
            (_, belief), rewards = jax.lax.scan(act, start, jnp.arange(environment.horizon))
            return belief, rewards.sum()

        belief, returns = jax.lax.scan(episode, Belief.before(environment), jnp.arange(episodes))
        return PlayedEpisodes(returns, belief)

    return jax.vmap(play)(tasks, jnp.arange(tasks.rewards.shape[0]))
