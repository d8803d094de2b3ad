"""How long: the outer loop's settings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quickstudy.errors import BadInput, demand_counts, demand_positive
from quickstudy.experiments.settings import Settings

if TYPE_CHECKING:
    import optax


@dataclass(frozen=True)
class Budget(Settings):
    """Steps, tasks, the outer optimiser (Adam), validation, and the seed."""

    seed: int = 0
    """Seeds the initial weights and the sampling of tasks."""
    steps: int = 1000
    """Meta-steps."""
    meta_batch: int = 4
    """Tasks per meta-step."""
    learning_rate: float = 1e-3
    """β, the initial learning rate of the outer optimiser (Adam); it decays to zero on a cosine."""
    clip: float = 10.0
    """Largest norm of the meta-gradient; a longer one is scaled down to it."""
    warm_up: int = 0
    """Meta-steps of linear warm-up from zero to β; the cosine decay starts after them."""
    weight_decay: float = 0.0
    """Decoupled weight decay of matrices and kernels (AdamW)."""
    accumulate: int = 1
    """Meta-steps whose meta-gradients are averaged for one update."""
    ema: float = 0.0
    """Decay of an exponential moving average of the weights, such as 0.999. The average is
    validated, tested and saved; with 0, the weights themselves are."""
    validate_every: int = 500
    """Meta-steps between validations; each saves a checkpoint."""
    validation_episodes: int = 200
    """Tasks per validation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_positive(clip=self.clip)
        demand_counts(accumulate=self.accumulate)
        if self.ema >= 1:
            raise BadInput(f"ema is {self.ema}; give a number from 0 to below 1, such as 0.999")
        if self.warm_up and self.warm_up >= self.steps:
            raise BadInput(
                f"warm_up is {self.warm_up} of {self.steps} steps, which leaves none at the rate; "
                "give fewer"
            )
        self._demand_updates()

    def _demand_updates(self) -> None:
        """Raise `BadInput` where accumulation leaves meta-steps or the warm-up without effect."""
        if left := self.steps % self.accumulate:
            raise BadInput(
                f"accumulate is {self.accumulate} and there are {self.steps} steps: the last "
                f"{left} would never reach the weights; give a multiple of {self.accumulate} steps"
            )
        if self.warm_up % self.accumulate:
            raise BadInput(
                f"warm_up is {self.warm_up} and accumulate {self.accumulate}: the rate rises from "
                f"update to update; give a multiple of {self.accumulate} for warm_up"
            )

    def adam(self, *, each: int = 1) -> "optax.GradientTransformation":
        """Adam on a cosine to zero, with the gradient's norm clipped.

        Args:
            each: updates in each step of training; the rate is zero after the last of all.
        """
        import optax

        clipped = optax.clip_by_global_norm(self.clip)
        if not self.weight_decay:
            return optax.chain(clipped, optax.adam(self.rate(each)))
        decayed = optax.adamw(self.rate(each), weight_decay=self.weight_decay, mask=_matrices)
        return optax.chain(clipped, decayed)

    def rate(self, each: int = 1) -> Any:
        """β over the updates: up on a line, down on a cosine."""
        import optax

        updates, up = (number * each // self.accumulate for number in (self.steps, self.warm_up))
        if not up:
            return optax.cosine_decay_schedule(self.learning_rate, updates)
        return optax.warmup_cosine_decay_schedule(0.0, self.learning_rate, up, updates)

    def accumulated(
        self, optimiser: "optax.GradientTransformation"
    ) -> "optax.GradientTransformation":
        """The optimiser, fed with the mean of several meta-gradients."""
        import optax

        if self.accumulate == 1:
            return optimiser
        return optax.MultiSteps(optimiser, self.accumulate).gradient_transformation()


APART = frozenset({"rates", "norms", "offset"})
"""Attributes of learners and inner rules that hold numbers for each weight, or for each step."""


def _matrices(parameters: Any) -> Any:
    """Which arrays decay: those that multiply, and neither biases nor scales nor learned rates."""
    import jax

    def decays(path: tuple[Any, ...], leaf: Any) -> bool:
        # Rates have the shapes of weights, and scales for every step have two axes.
        return leaf.ndim > 1 and APART.isdisjoint(getattr(key, "name", None) for key in path)

    return jax.tree_util.tree_map_with_path(decays, parameters)
