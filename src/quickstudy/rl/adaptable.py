"""A policy, and how it adapts to a task: what MAML for RL learns."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.tree_util import SequenceKey

from quickstudy.envs.environment import MDPFamily
from quickstudy.envs.interface import Described, Interface
from quickstudy.inner import InnerRule, Rate
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.adapting_agent import AdaptingAgent
from quickstudy.rl.reactive import Reactive
from quickstudy.rl.scale import Fixed, Scaled


@jax.tree_util.register_pytree_with_keys_class
class Adaptable(tuple):
    """A policy and its inner rule, as a pair, and the rest of f_adapt, which has no arrays.

    Attributes:
        policy: π_θ, and its scale, if that is learned.
        rule: how θ moves.
        how: the rest; its own rule stands for nothing.

    Example:
        >>> import quickstudy as qs
        >>> family = qs.Navigation()
        >>> policy = qs.Reactive.create(family, (8,), key=jax.random.key(0))
        >>> learned = Adaptable.of(policy, qs.Adaptation(family, qs.Rate(0.1), qs.LVC()))
        >>> learned.agent(greedy=True).reset([0.0, 0.0]).shape
        (2,)
    """

    how: Adaptation

    @classmethod
    def of(cls, policy: Reactive, adaptation: Adaptation) -> "Adaptable":
        """Of a policy, with the adaptation's rule and scale."""
        family = Described(Interface.of(adaptation.environment))
        how = dataclasses.replace(adaptation, environment=family, rule=Rate(1.0), scale=Fixed())
        return cls.made(how, (adaptation.scale.worn(policy), adaptation.rule))

    @classmethod
    def made(cls, how: Adaptation, pair: Any) -> "Adaptable":
        """Of its parts."""
        found = cls(pair)
        found.how = how
        return found

    @property
    def policy(self) -> Reactive | Scaled:
        """π_θ."""
        return self[0]

    @property
    def rule(self) -> InnerRule:
        """How θ moves."""
        return self[1]

    @property
    def interface(self) -> Interface:
        """What it acts in."""
        return Interface.of(self.how.environment)

    def adapting(self, environment: MDPFamily | None = None) -> tuple[Reactive, Adaptation]:
        """The policy without its scale, and all of f_adapt.

        Args:
            environment: where it adapts; by default where it was trained, of which only a
                description is left.
        """
        return adapting(self, self.how, environment or self.how.environment)

    def agent(self, *, greedy: bool = False, seed: int | np.integer = 0) -> AdaptingAgent:
        """The policy in a loop of your own; arguments as `Agent` has them."""
        policy, adaptation = self.adapting()
        return AdaptingAgent(policy, adaptation, greedy=greedy, seed=seed)

    # Numbered, as the parts of any pair: files say `[0]` and `[1]`.
    def tree_flatten_with_keys(self) -> Any:
        """For JAX."""
        return [(SequenceKey(n), self[n]) for n in (0, 1)], self.how

    def tree_flatten(self) -> Any:
        """For JAX."""
        return tuple(self), self.how

    @classmethod
    def tree_unflatten(cls, how: Adaptation, pair: Any) -> "Adaptable":
        """For JAX."""
        return cls.made(how, pair)


def adapting(
    learned: tuple[Any, InnerRule], how: Adaptation, environment: MDPFamily
) -> tuple[Reactive, Adaptation]:
    """A pair's policy without its scale, and f_adapt with its rule and scale."""
    policy, rule = learned
    scale = policy.scale if isinstance(policy, Scaled) else Fixed()
    policy = policy.policy if isinstance(policy, Scaled) else policy
    return policy, dataclasses.replace(how, environment=environment, rule=rule, scale=scale)
