"""What a training loop drives: an algorithm whose steps are compiled, or one that acts on the
host between them."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.mesh import Metrics


@runtime_checkable
class Algorithm(Protocol):
    """What `fit` drives. An implementation is a pytree; its state is a pytree of arrays."""

    def init(self) -> Any:
        """The state before the first step."""
        ...

    def update(
        self, state: Any, key: PRNGKeyArray, progress: Float[Array, ""]
    ) -> tuple[Any, Metrics]:
        """One step; pure, compiled. Metrics must hold a `loss`."""
        ...

    def validate(self, state: Any, key: PRNGKeyArray) -> Metrics:
        """What validation finds; pure, compiled. Metrics must hold a `score`, larger is better."""
        ...

    def learned(self, state: Any) -> Any:
        """What was learned by then: the pytree that is exported and evaluated."""
        ...


@runtime_checkable
class HostAlgorithm(Protocol):
    """An `Algorithm` whose steps leave the compiled program, to step environments on the host."""

    def init(self) -> Any:
        """The state before the first step."""
        ...

    def update_on_host(self, state: Any, key: PRNGKeyArray, progress: float) -> tuple[Any, Metrics]:
        """One step; the same for the same key. Metrics must hold a `loss`."""
        ...

    def validate_on_host(self, state: Any, key: PRNGKeyArray) -> Metrics:
        """What validation finds. Metrics must hold a `score`, larger is better."""
        ...

    def learned(self, state: Any) -> Any:
        """What was learned by then: the pytree that is exported and evaluated."""
        ...


AnyAlgorithm = Algorithm | HostAlgorithm
