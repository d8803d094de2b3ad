"""Regression of sinusoids from a few points."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.errors import demand_counts
from quickstudy.experiments.networks import Inputs, MLPConfig, NetworkConfig
from quickstudy.experiments.problem import ExampleProblem, Source, Split

if TYPE_CHECKING:
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class SinusoidCurves(ExampleProblem):
    """Sine curves of any height and phase, from a few of their points (Finn et al., 2017)."""

    name: ClassVar[str] = "sinusoid"
    has: ClassVar[str] = "nothing yet"
    usual: ClassVar[dict[str, int]] = {"steps": 30_000, "meta_batch": 25, "validate_every": 3000}
    at_test: ClassVar[dict[str, str]] = {"shots": "test_shots", "queries": "test_queries"}
    apart: ClassVar[frozenset[str]] = frozenset({"shots", "queries"})

    shots: int = 10
    """K, support points in training and validation."""
    queries: int = 10
    """Query points in training and validation."""
    test_shots: int = 5
    """Support points in tests."""
    test_queries: int = 100
    """Query points in tests."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("shots", "queries", "test_shots", "test_queries")
        demand_counts(**{name: getattr(self, name) for name in names})

    @property
    def inputs(self) -> Inputs:
        """One number."""
        return (1,)

    @property
    def outputs(self) -> int:
        """One number."""
        return 1

    @property
    def classification(self) -> bool:
        """No."""
        return False

    @property
    def network(self) -> NetworkConfig:
        """Two layers of forty rectifiers, as in the paper."""
        return MLPConfig()

    def tasks(self, split: Split, source: Source) -> "TaskDistribution":
        """Every split draws from the same continuum, with keys of its own."""
        from quickstudy.tasks.sinusoid import Sinusoid

        return Sinusoid(shots=self.test_shots, queries=self.test_queries)

    def training_tasks(
        self, split: Split, source: Source, ways: int | None = None
    ) -> "TaskDistribution":
        """Of the numbers of points that are trained with."""
        from quickstudy.tasks.sinusoid import Sinusoid

        return Sinusoid(shots=self.shots, queries=self.queries)

    def shape(self) -> str:
        """The support points of a test task."""
        return f"{self.test_shots} support points"
