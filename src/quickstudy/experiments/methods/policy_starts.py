"""Where MAML's policies start: their first weights, and what the first update adds to them."""

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.errors import BadInput
from quickstudy.experiments.settings import Choice

if TYPE_CHECKING:
    from quickstudy.inner import InnerRule
    from quickstudy.rl.first_weights import FirstWeights


@dataclass(frozen=True)
class WeightsConfig(Choice):
    """Base: how a policy's first weights are drawn."""

    @abc.abstractmethod
    def build(self) -> "FirstWeights":
        """What draws them."""


@dataclass(frozen=True)
class GlorotConfig(WeightsConfig):
    """Glorot's uniform weights and biases of zero, as in the code of MAML's authors."""

    name: ClassVar[str] = "glorot"

    def build(self) -> "FirstWeights":
        """Glorot's."""
        from quickstudy.rl.first_weights import Glorot

        return Glorot()


@dataclass(frozen=True)
class HeConfig(WeightsConfig):
    """He's normal weights with drawn biases, and a head of zeros: features are larger, and updates
    at the same rate go further."""

    name: ClassVar[str] = "he"

    def build(self) -> "FirstWeights":
        """He's."""
        from quickstudy.rl.first_weights import He

        return He()


@dataclass(frozen=True)
class OffsetConfig(Choice):
    """Base: what the first update adds to parameters, in every task."""

    @abc.abstractmethod
    def build(self, policy: Any, rule: "InnerRule") -> "InnerRule":
        """The inner rule with it.

        Raises:
            BadInput: this policy has nothing to add it to.
        """


@dataclass(frozen=True)
class NoOffsetConfig(OffsetConfig):
    """Nothing."""

    name: ClassVar[str] = "none"

    def build(self, policy: Any, rule: "InnerRule") -> "InnerRule":
        """The rule alone."""
        return rule


@dataclass(frozen=True)
class SpreadOffsetConfig(OffsetConfig):
    """A meta-learned offset to the logarithm of actions' standard deviation: explore before the
    first update, be sure after it."""

    name: ClassVar[str] = "spread"

    # Below 0, which other settings may not be: Settings takes the sign from the default.
    start: float = -2.0
    """Initial offset of log σ."""

    def build(self, policy: Any, rule: "InnerRule") -> "InnerRule":
        """Of `log_std` alone."""
        import jax

        return self.added(policy, rule, jax.tree.map(lambda _: None, policy))

    def added(self, policy: Any, rule: "InnerRule", others: Any) -> "InnerRule":
        """That of `log_std`, and others."""
        import equinox as eqx
        import jax.numpy as jnp

        from quickstudy.inner import Offset

        if policy.log_std is None:
            raise BadInput(
                f"--offset {self.name} is for actions with a standard deviation, and these are "
                "discrete; give --offset none"
            )
        spread = jnp.full_like(policy.log_std, self.start)
        return Offset(rule, eqx.tree_at(_log_std, others, spread, is_leaf=lambda x: x is None))


@dataclass(frozen=True)
class AllOffsetConfig(SpreadOffsetConfig):
    """A meta-learned offset to every parameter, which is 0 before training but for log σ."""

    name: ClassVar[str] = "all"

    def build(self, policy: Any, rule: "InnerRule") -> "InnerRule":
        """Of all of θ."""
        import equinox as eqx
        import jax
        import jax.numpy as jnp

        theta = eqx.filter(policy, eqx.is_inexact_array)
        return self.added(policy, rule, jax.tree.map(jnp.zeros_like, theta))


def _log_std(policy: Any) -> Any:
    return policy.log_std
