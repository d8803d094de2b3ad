"""The baseline beside MAML on sinusoids: pre-trained on all tasks, then fine-tuned."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quickstudy.recipes.maml_sinusoid import MAMLSinusoid

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner


@dataclass(frozen=True)
class PretrainedSinusoid(MAMLSinusoid):
    """One network trained on all sinusoids at once, then fine-tuned."""

    name: ClassVar[str] = "pretrained-sinusoid"
    reaches: ClassVar[str] = "the paper's baseline: 2.41 / 2.23 / 2.19 after 1 / 5 / 10 steps"
    takes: ClassVar[str] = "1 min on 2 cores"

    steps: int = 30_000
    inner_lr: float = 3e-4
    """α, the step size of fine-tuning, the best on validation tasks; MAML's 0.01 diverges here."""

    def learner(self) -> "Learner":
        """MAML's network."""
        import jax

        from quickstudy.learners.finetune import JointFineTuning
        from quickstudy.learners.losses import squared_error
        from quickstudy.nets.mlp import MLP

        model = MLP(1, (40, 40, 1), key=jax.random.key(self.seed))
        return JointFineTuning(
            model, inner_lr=self.inner_lr, steps=self.inner_steps, loss=squared_error
        )
