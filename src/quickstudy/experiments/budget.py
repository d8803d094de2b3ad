"""How long: the outer loop's settings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from quickstudy.errors import demand_positive
from quickstudy.experiments.settings import Settings

if TYPE_CHECKING:
    import optax


@dataclass(frozen=True)
class Budget(Settings):
    """Steps, tasks, the outer optimiser (Adam), validation, and the seed."""

    seed: int = 0
    """Decides the initial weights and every task that is sampled."""
    steps: int = 1000
    """Meta-steps."""
    meta_batch: int = 4
    """Tasks per meta-step."""
    learning_rate: float = 1e-3
    """β, the outer optimiser's (Adam's) rate at the start; it falls to zero on a cosine."""
    clip: float = 10.0
    """The largest norm of the meta-gradient; longer ones are shortened to it."""
    validate_every: int = 500
    """Meta-steps between validations, each of which saves a checkpoint."""
    validation_episodes: int = 200
    """Tasks per validation."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_positive(clip=self.clip)

    def adam(self, *, each: int = 1) -> "optax.GradientTransformation":
        """Adam on a cosine to zero, with the gradient's norm clipped.

        Args:
            each: updates in each step of training; the rate is zero after the last of all.
        """
        import optax

        rate = optax.cosine_decay_schedule(self.learning_rate, self.steps * each)
        return optax.chain(optax.clip_by_global_norm(self.clip), optax.adam(rate))
