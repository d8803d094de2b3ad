"""Pre-train on all classes, then make a classifier for the task: what meta-learning must beat."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from quickstudy.errors import BadInput
from quickstudy.recipes.data import OnGlyphs, OnImages, OnOmniglot

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.episodes import Episodes
    from quickstudy.tasks.task import TaskDistribution


@dataclass(frozen=True)
class WithTransfer(OnImages):
    """A transfer baseline."""

    source: ClassVar[str] = (
        "Chen et al., 2019, https://arxiv.org/abs/1904.04232; Wang et al., 2019, "
        "https://arxiv.org/abs/1911.04623"
    )

    method: Literal["centroid", "head", "cosine", "all"] = "centroid"
    """What is made for a task: nearest centroids (SimpleShot), a new linear head (Baseline), a
    cosine head (Baseline++, also in pre-training), or head and body fine-tuned."""
    batch: int = 64
    """Images per pre-training step and task of the meta-batch."""
    fine_tuning_rate: float = 1e-2
    """Adam's rate in a task."""
    fine_tuning_steps: int = 50
    """Steps in a task, each on the whole support set."""

    def learner(self) -> "Learner":
        """Conv4 and a classifier of all training classes."""
        import jax
        import optax

        from quickstudy.learners import transfer
        from quickstudy.nets.network import Linear

        body, features = self.body()
        key = jax.random.fold_in(jax.random.key(self.seed), 1)
        linear = Linear.create(features, self.train_classes, key=key)
        tuning = {
            "optimiser": optax.adam(self.fine_tuning_rate, eps_root=1e-8),
            "steps": self.fine_tuning_steps,
        }
        if self.method == "centroid":
            return transfer.NearestCentroid(body, linear)
        if self.method == "cosine":
            cosine = transfer.CosineHead(linear.weight.T)
            return transfer.BaselinePlusPlus(body, cosine, **tuning)
        make = {"head": transfer.FineTuneHead, "all": transfer.FineTuneAll}[self.method]
        return make(body, linear, **tuning)

    def for_training(self, episodes: "Episodes") -> "TaskDistribution":
        """Batches of all classes."""
        if self.fewest_ways or self.fewest_shots:
            raise BadInput(
                f"{self.name} trains on batches of all classes, not on tasks; leave --fewest-ways "
                "and --fewest-shots out"
            )
        from quickstudy.tasks.all_classes import AllClasses

        return AllClasses(episodes, self.batch)


@dataclass(frozen=True)
class TransferGlyphs(WithTransfer, OnGlyphs):
    """A transfer baseline on warped printed characters."""

    name: ClassVar[str] = "transfer-glyphs"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "2 min on 2 cores"
    steps: int = 3000
    meta_batch: int = 2
    validate_every: int = 1000


@dataclass(frozen=True)
class TransferOmniglot(WithTransfer, OnOmniglot):
    """A transfer baseline on Omniglot; pre-trains on 4,112 classes of `snell2017`."""

    name: ClassVar[str] = "transfer-omniglot"
    reaches: ClassVar[str] = "no published figure"
    takes: ClassVar[str] = "about 30 min on 2 cores"
    steps: int = 10_000
    meta_batch: int = 2
    downsample: Literal["stride", "pool"] = "pool"
