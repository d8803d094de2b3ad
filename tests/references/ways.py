"""Objective II of a tiny MDP: the sum over all trajectories that may be adapted on."""

import itertools

import jax
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.rl.adaptation import Measured, Trajectories
from references.enumeration import ACTIONS, HORIZON, REAL, STATES


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

    def __init__(self, world, steps, rate):
        self.world, self.mdp = world, jax.tree.map(lambda x: x[0], world.mdps)
        self.rate = rate
        self.numbers = jnp.array([*itertools.product(range(len(STATES)), repeat=steps)])

    def logs(self, theta):
        return jax.nn.log_softmax(self.world.logits(theta))[STATES, ACTIONS]

    def chances(self, theta):
        moves = self.mdp[0][STATES[:, :-1], ACTIONS[:, :-1], STATES[:, 1:]]
        return jnp.exp(jnp.sum(self.logs(theta), 1)) * jnp.prod(moves, 1)

    def way(self, theta, numbers):
        """Along those trajectories: the policies that acted, their chance, and the last policy."""
        to_go = jnp.cumsum(self.mdp[1][STATES, ACTIONS][:, ::-1], 1)[:, ::-1]
        acted, chance = [], 1.0
        for number in numbers:
            acted, chance = [*acted, theta], chance * self.chances(theta)[number]
            ghat = jax.grad(lambda t, i=number: jnp.sum(self.logs(t)[i] * to_go[i]))(theta)
            theta = theta + self.rate * ghat / HORIZON
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
