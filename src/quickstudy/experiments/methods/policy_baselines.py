"""What MAML's advantages are measured against, by name."""

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

from quickstudy.experiments.settings import Choice


@dataclass(frozen=True)
class BaselineConfig(Choice):
    """Base: what advantages are measured against."""

    @abc.abstractmethod
    def build(self) -> Any:
        """The baseline."""


@dataclass(frozen=True)
class LinearBaselineConfig(BaselineConfig):
    """A linear function of observations and time."""

    name: ClassVar[str] = "linear"

    def build(self) -> Any:
        """Linear."""
        from quickstudy.rl.baseline import LinearBaseline

        return LinearBaseline()


@dataclass(frozen=True)
class NetworkBaselineConfig(BaselineConfig):
    """A value network."""

    name: ClassVar[str] = "network"

    def build(self) -> Any:
        """A network."""
        from quickstudy.rl.baseline import ValueNetwork

        return ValueNetwork()
