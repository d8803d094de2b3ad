"""How long to train: what every algorithm's training reads, and what meta-training adds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import optax

from quickstudy.errors import BadInput, demand_counts


@dataclass(frozen=True)
class Plan:
    """How long `quickstudy.fit` drives an algorithm.

    Attributes:
        steps: of the algorithm.
        validate_every: steps between validations, each of which also saves a checkpoint.

    Raises:
        BadInput: a number below 1.
    """

    steps: int = 1000
    validate_every: int = 500

    def __post_init__(self) -> None:
        demand_counts(steps=self.steps, validate_every=self.validate_every)


def as_it_is(learner: Any) -> Any:
    """The learner itself.

    Example:
        >>> as_it_is(3)
        3
    """
    return learner


@dataclass(frozen=True)
class MetaPlan(Plan):
    """How `quickstudy.train` meta-trains a learner.

    Attributes:
        meta_batch: tasks per meta-step.
        optimiser: the outer optimiser; Adam with rate 10⁻³ by default.
        validation_episodes: tasks per validation.
        ema: how much of the weights' moving average stays in a step; the average is what is
            validated and returned. With 0 there is none.
        for_test: what becomes of the learner before it is validated: another number of inner steps,
            for example, as it is tested with.
    """

    meta_batch: int = 4
    optimiser: optax.GradientTransformation = field(default_factory=lambda: optax.adam(1e-3))
    validation_episodes: int = 200
    ema: float = 0.0
    for_test: Callable[[Any], Any] = as_it_is

    def __post_init__(self) -> None:
        super().__post_init__()
        demand_counts(meta_batch=self.meta_batch, validation_episodes=self.validation_episodes)
        if not 0 <= self.ema < 1:
            raise BadInput(f"ema is {self.ema}; give a number from 0 to below 1, such as 0.999")
