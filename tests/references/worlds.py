"""Tiny MDPs, a policy, and what is exact about its adaptation in them."""

import itertools

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.rl.adaptation import Measured, Trajectories
from references.enumeration import (
    ACTIONS,
    HORIZON,
    REAL,
    STATES,
    expected_return,
    random_mdp,
    to_go,
)

KEY = jax.random.key(0)
TASKS, STEPS = 8, 2
RATE = 0.75  # per step of an episode: 0.25 of the return's gradient


class Enumerating(qs.Adaptation):
    """Rewards come times 32 ∏ p(s'), so that with π's probabilities a mean is an expectation."""

    def measured(self, paths):
        to_go = jnp.cumsum(paths.reward[:, ::-1], 1)[:, ::-1]
        chances = jnp.exp(jnp.sum(paths.log_prob, 1, keepdims=True))
        return Measured(to_go * chances, jnp.ones(()))


class World:
    """Eight MDPs, a policy, and all that is exact about them; θ is a vector."""

    def __init__(self):
        self.family = qs.TabularMDP(states=2, choices=2, horizon=HORIZON)
        policy = qs.Reactive.create(self.family, (3,), key=KEY)
        head = qs.Linear.create(3, 2, key=KEY)
        self.policy = eqx.tree_at(lambda p: p.head, policy, head)
        self.flat, self.policy_of = jax.flatten_util.ravel_pytree(self.policy)
        drawn = [random_mdp(key)[0] for key in jax.random.split(KEY, TASKS)]
        self.mdps = jax.tree.map(lambda *xs: jnp.stack(xs).astype(float), *drawn)

    def logits(self, theta):
        return self.policy_of(theta).actions(jnp.eye(2)).logits

    def earned(self, theta, mdp):
        """J(θ), per step."""
        return expected_return(self.logits(theta), mdp) / HORIZON

    def path(self, theta, mdp, rates=RATE, offset=0.0):
        """θ_0, θ_1, θ_2 along the true gradients; the first step adds the offset."""
        found = [theta]
        for step in range(STEPS):
            there = found[-1] + rates * jax.grad(self.earned)(found[-1], mdp)
            found.append(there + offset if step == 0 else there)
        return jnp.stack(found)

    def objective(self, theta, rates=RATE, offset=0.0, scored=1):
        """J after adaptation, the mean over tasks and over so many of the last policies."""

        def one(mdp):
            last = self.path(theta, mdp, rates, offset)[-scored:]
            return jnp.mean(jax.vmap(self.earned, (0, None))(last, mdp))

        return jnp.mean(jax.vmap(one)(self.mdps))

    def acted(self, theta, rates=RATE, offset=0.0):
        """All trajectories of each task, of the policy after each step `[tasks, steps, 32, 3]`."""

        def one(mdp):
            moves = jnp.prod(mdp[0][STATES[:, :-1], ACTIONS[:, :-1], STATES[:, 1:]], 1)
            reward = len(STATES) * moves[:, None] * mdp[1][STATES, ACTIONS]

            def of_policy(theta):
                logs = jax.nn.log_softmax(self.logits(theta))[STATES, ACTIONS]
                return Trajectories(jnp.eye(2)[STATES], ACTIONS, reward, logs, REAL)

            return jax.vmap(of_policy)(self.path(theta, mdp, rates, offset))

        paths = jax.vmap(one)(self.mdps)
        return jax.tree.map(lambda x: x[:, :-1], paths), jax.tree.map(lambda x: x[:, -1], paths)

    def maml(self, outer, estimator, rule=qs.Rate(RATE), scored=1):  # noqa: B008
        adaptation = Enumerating(self.family, rule, estimator, trajectories=len(STATES))
        return qs.MAMLRL(self.policy, adaptation, outer, STEPS, TASKS, scored=scored)


class Sampled(qs.Adaptation):
    """Raw rewards to go; after adaptation in a unit of the task's own."""

    def measured(self, paths):
        to_go = jnp.cumsum(paths.reward[:, ::-1], 1)[:, ::-1]
        unit = 1.0 if len(to_go) == 1 else 1 + jnp.mean(jnp.abs(paths.reward))
        return Measured(to_go / unit, jnp.asarray(unit))


class Ways:
    """Objective II in one MDP: every way to adapt on one sampled trajectory per inner step is a
    task, weighted through what is earned after it with its probability. What is earned is
    measured from its mean over tasks, so that all the others together earn minus what one does."""

    def __init__(self, world, steps):
        self.world, self.mdp = world, jax.tree.map(lambda x: x[0], world.mdps)
        self.numbers = jnp.array([*itertools.product(range(len(STATES)), repeat=steps)])

    def logs(self, theta):
        return jax.nn.log_softmax(self.world.logits(theta))[STATES, ACTIONS]

    def chances(self, theta):
        moves = self.mdp[0][STATES[:, :-1], ACTIONS[:, :-1], STATES[:, 1:]]
        return jnp.exp(jnp.sum(self.logs(theta), 1)) * jnp.prod(moves, 1)

    def way(self, theta, numbers):
        """Along those trajectories: the policies that acted, their chance, and the last policy."""
        later = to_go(self.mdp)
        acted, chance = [], 1.0
        for number in numbers:
            acted, chance = [*acted, theta], chance * self.chances(theta)[number]
            ghat = jax.grad(lambda t, i=number: jnp.sum(self.logs(t)[i] * later[i]))(theta)
            theta = theta + RATE * ghat / HORIZON
        return acted, chance, theta

    def stored(self, theta):
        """What `MAMLRL.improve` is given, and the mean that rewards are measured from."""
        rewards = self.mdp[1][STATES, ACTIONS]

        def one(numbers):
            acted, chance, last = self.way(theta, numbers)
            sets = [
                (jnp.eye(2)[STATES[i]], ACTIONS[i], rewards[i], self.logs(t)[i], REAL[i])
                for t, i in zip(acted, numbers, strict=True)
            ]
            weights = len(self.numbers) * len(STATES) * chance * self.chances(last)[:, None] * REAL
            after = Trajectories(jnp.eye(2)[STATES], ACTIONS, rewards, self.logs(last), REAL)
            before = (jnp.stack(x)[:, None] for x in zip(*sets, strict=True))
            return Trajectories(*before), after, weights

        sets, after, weights = jax.lax.map(one, self.numbers)
        mean = jnp.mean(weights * after.reward)
        return (sets, after._replace(reward=weights * (after.reward - mean))), mean

    def exact(self, theta, units, mean):
        """∇J^II, by the sum over all ways, differentiated as a whole."""

        def objective(theta):
            def one(way):
                numbers, unit = way
                _, chance, last = self.way(theta, numbers)
                earned = self.chances(last) @ jnp.sum(self.mdp[1][STATES, ACTIONS] - mean, 1)
                return chance * earned / unit

            return jnp.sum(jax.lax.map(jax.checkpoint(one), (self.numbers, units))) / HORIZON

        return jax.grad(objective)(theta)
