"""How long and how to train."""

from dataclasses import dataclass, field

import optax

from quickstudy.errors import demand_counts


@dataclass(frozen=True)
class Plan:
    """How long and how to train.

    Attributes:
        steps: meta-steps.
        meta_batch: tasks per meta-step.
        optimiser: the outer optimiser; Adam with rate 10⁻³ by default.
        validate_every: steps between validations, each of which also saves a checkpoint.
        validation_episodes: tasks per validation.
    """

    steps: int = 1000
    meta_batch: int = 4
    optimiser: optax.GradientTransformation = field(default_factory=lambda: optax.adam(1e-3))
    validate_every: int = 500
    validation_episodes: int = 200

    def __post_init__(self) -> None:
        demand_counts(
            steps=self.steps,
            meta_batch=self.meta_batch,
            validate_every=self.validate_every,
            validation_episodes=self.validation_episodes,
        )
