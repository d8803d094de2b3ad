"""Normalisation as a named choice: whose statistics a prediction may depend on.

| name      | statistics of                         | a query sees the other queries |
|-----------|---------------------------------------|--------------------------------|
| `layer`   | one example, all its channels         | no                             |
| `group`   | one example, channels in groups of 8  | no                             |
| `support` | the support set, kept for the queries | no                             |
| `joint`   | the support set and the query itself  | no                             |
| `batch`   | whatever batch is given               | yes: *transductive*            |
| `running` | batches of meta-training, averaged    | no                             |
| `none`    | nothing                               | no                             |

`batch` is what the papers of MAML and Reptile (with transduction) do; the others are inductive.
`joint` is Reptile's without transduction: the network reads the support set anew with each query.
`running` is for learners that keep such averages: MAML++.
All of them are one scale and one shift per channel around `(x - mean) / sqrt(variance + eps)`.
"""

import abc
import functools
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from quickstudy.errors import BadInput

Moments = tuple[Float[Array, "..."], Float[Array, "..."]]


class Norm(eqx.Module):
    """y = scale · (x − mean) / √(variance + ε) + shift, over `x [n, ..., channels]`.

    Subclasses say what `mean` and `variance` are taken over.
    """

    scale: Float[Array, " c"]
    shift: Float[Array, " c"]
    eps: float = eqx.field(static=True, default=1e-5)

    transductive: ClassVar[bool] = False
    per_example: ClassVar[bool] = True
    """Whether each example is normalised without looking at any other of the same call."""
    over_batch: ClassVar[bool] = False
    """Whether mean and variance are those of each channel over all examples and positions."""
    of_support: ClassVar[bool] = False
    """Whether it must be shown the support set before it reads queries, by `network.condition`."""

    @classmethod
    def create(cls, channels: int) -> "Norm":
        """A norm that starts as the plain normalisation: scale 1, shift 0."""
        return cls(jnp.ones(channels), jnp.zeros(channels))

    @abc.abstractmethod
    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        """Mean and variance, of the rank of `x`."""

    def __call__(self, x: Float[Array, "n ... c"]) -> Float[Array, "n ... c"]:
        return self.normalise(x, *self.moments(x))

    def normalise(
        self, x: Float[Array, "n ... c"], mean: Float[Array, "..."], variance: Float[Array, "..."]
    ) -> Float[Array, "n ... c"]:
        """Apply given moments; folded into one multiplication and one addition per element."""
        shape = (1,) * (x.ndim - 1) + (-1,)
        gain = _settled(self.scale.reshape(shape) * jax.lax.rsqrt(variance + self.eps))
        return x * gain + _settled(self.shift.reshape(shape) - mean * gain)

    def condition(self, x: Float[Array, "n ... c"]) -> "Norm":
        """The norm to use on queries, after the support activations `x` were seen."""
        return self


class LayerNorm(Norm):
    """Statistics of each example over all its positions and channels (arXiv 1607.06450)."""

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        return _moments(x, tuple(range(1, x.ndim)))


class GroupNorm(Norm):
    """Statistics of each example over positions and a group of channels (arXiv 1803.08494).

    A group is 8 channels, or the largest divisor of their number below that.
    """

    group: ClassVar[int] = 8

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        channels = x.shape[-1]
        # Never one channel where more divide: on a 1×1 map its variance is 0, and the output noise.
        size = max(size for size in range(1, self.group + 1) if channels % size == 0)
        grouped = x.reshape(*x.shape[:-1], channels // size, size)
        mean, variance = _moments(grouped, (*range(1, x.ndim - 1), x.ndim))
        shape = (x.shape[0], *(1,) * (x.ndim - 2), channels)
        return tuple(jnp.repeat(m, size, axis=-1).reshape(shape) for m in (mean, variance))  # type: ignore[return-value]


class OverBatch(Norm):
    """Base: statistics of the given batch."""

    per_example: ClassVar[bool] = False
    over_batch: ClassVar[bool] = True

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        return _moments(x, tuple(range(x.ndim - 1)))


class BatchNorm(OverBatch):
    """Statistics of the given batch (arXiv 1502.03167), the query batch too: transductive."""

    transductive: ClassVar[bool] = True


class SupportNorm(OverBatch):
    """Batch statistics of the support set, which queries are then normalised with: inductive."""

    of_support: ClassVar[bool] = True

    def condition(self, x: Float[Array, "n ... c"]) -> "Norm":
        mean, variance = self.moments(x)
        # As arrays of the module, moments go through `vmap` and stacked predictors as weights do.
        return FixedNorm(self.scale, self.shift, self.eps, mean, variance)


class JointNorm(OverBatch):
    """Batch statistics of the support set together with one query: inductive.

    So Reptile is tested without transduction (https://arxiv.org/abs/1803.02999, section 6.1). The
    statistics of one layer change what the next one sees, of the support set, too; hence the whole
    network reads it anew with each query, as `network.condition` arranges.
    """

    of_support: ClassVar[bool] = True


class FixedNorm(Norm):
    """Given statistics: what `SupportNorm` becomes once it has seen a support set."""

    mean: Float[Array, "..."] = eqx.field(default_factory=lambda: jnp.zeros(()))
    variance: Float[Array, "..."] = eqx.field(default_factory=lambda: jnp.ones(()))

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        return self.mean, self.variance


class RunningNorm(Norm):
    """Averages over the batches of meta-training: inductive.

    They are statistics, which a learner that `keeps_statistics` moves towards those of each batch;
    while it meta-trains, `observing` has the batch's own normalise it.
    """

    mean: Float[Array, " c"] = eqx.field(kw_only=True)
    variance: Float[Array, " c"] = eqx.field(kw_only=True)

    # In training it does look at the whole batch.
    per_example: ClassVar[bool] = False

    @classmethod
    def create(cls, channels: int) -> "Norm":
        """Mean 0 and variance 1 at first."""
        scale, shift = jnp.ones(channels), jnp.zeros(channels)
        return cls(scale, shift, mean=jnp.zeros(channels), variance=jnp.ones(channels))

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        shape = (1,) * (x.ndim - 1) + (-1,)
        return self.mean.reshape(shape), self.variance.reshape(shape)


class ObservingNorm(RunningNorm):
    """What a `RunningNorm` is in meta-training: it normalises by the batch's own statistics, and
    `condition` puts them in place of the averages."""

    over_batch: ClassVar[bool] = True

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        return _moments(x, tuple(range(x.ndim - 1)))

    def condition(self, x: Float[Array, "n ... c"]) -> "Norm":
        # In the shape of the averages, for they stand in their place.
        mean, variance = (moment.ravel() for moment in self.moments(x))
        return ObservingNorm(self.scale, self.shift, self.eps, mean=mean, variance=variance)


def observing(network: Any) -> Any:
    """The network as it is in meta-training: every `RunningNorm` an `ObservingNorm`.

    Example:
        >>> x = jnp.array([[2.0], [4.0]])
        >>> running_statistics(observing(make_norm("running", 1)).condition(x))
        [Array([3.], dtype=float32), Array([1.], dtype=float32)]
    """

    def observed(part: Any) -> Any:
        if not isinstance(part, RunningNorm):
            return part
        moments = {"mean": part.mean, "variance": part.variance}
        return ObservingNorm(part.scale, part.shift, part.eps, **moments)

    return jax.tree.map(observed, network, is_leaf=lambda part: isinstance(part, RunningNorm))


def running_statistics(tree: Any) -> list[Any]:
    """Mean and variance of every `RunningNorm`, in the order of the layers.

    Example:
        >>> running_statistics([make_norm("running", 1), make_norm("layer", 1)])
        [Array([0.], dtype=float32), Array([1.], dtype=float32)]
    """
    parts = jax.tree.leaves(tree, is_leaf=lambda part: isinstance(part, RunningNorm))
    norms = [part for part in parts if isinstance(part, RunningNorm)]
    return [moment for norm in norms for moment in (norm.mean, norm.variance)]


class NoNorm(Norm):
    """Only the scale and the shift: for comparison, and for networks that need no more."""

    def moments(self, x: Float[Array, "n ... c"]) -> Moments:
        one = jnp.ones((1,) * x.ndim, x.dtype)
        return 0 * one, one


NORMS: dict[str, type[Norm]] = {
    "layer": LayerNorm,
    "group": GroupNorm,
    "support": SupportNorm,
    "joint": JointNorm,
    "batch": BatchNorm,
    "running": RunningNorm,
    "none": NoNorm,
}


def make_norm(name: str, channels: int) -> Norm:
    """The norm of that name for `channels` channels.

    Raises:
        BadInput: the name is not one of `NORMS`.

    Example:
        >>> make_norm("layer", 64).transductive
        False
    """
    if name not in NORMS:
        raise BadInput(f"normalisation {name!r} is unknown; choose one of {', '.join(NORMS)}")
    return NORMS[name].create(channels)


def example_moments(x: Float[Array, "n ... c"]) -> Moments:
    """Mean and variance of each example and channel over its positions, of the rank of `x`."""
    return _moments(x, tuple(range(1, x.ndim - 1)))


def merged(mean: Float[Array, "n ... c"], variance: Float[Array, "n ... c"]) -> Moments:
    """Each channel's moments over a batch, from those of its examples by the law of total variance.

    Example:
        >>> x = jnp.arange(6.0).reshape(2, 3, 1)
        >>> mean, variance = merged(*example_moments(x))
        >>> bool(jnp.allclose(mean, x.mean())), bool(jnp.allclose(variance, x.var()))
        (True, True)
    """
    between = _moments(mean, (0,))
    return between[0], jnp.mean(variance, 0, keepdims=True) + between[1]


def _settled(z: Float[Array, "..."], known: Float[Array, "..."] | None = None) -> Array:
    """`z` itself, and on a CPU computed once before it is spread over all positions.

    XLA puts a chain of cheap operations on channels into the loop over positions and channels,
    where it is computed again for every position: in second derivatives some thirty operations
    where three are needed. It does not do so beyond a division, which it takes for expensive. This
    divisor is 1, exactly, which XLA cannot know; and so are those of all derivatives. A `z` that is
    a tangent needs another array of its shape, `known`, to make the divisor of.
    """
    one = jax.lax.stop_gradient(jnp.minimum(1, 1 + jnp.abs(z if known is None else known)))
    return z / one if jax.default_backend() == "cpu" else z


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _moments(x: Float[Array, "..."], axes: tuple[int, ...]) -> Moments:
    mean = _settled(jnp.mean(x, axes, keepdims=True))
    # E[x²] − E[x]² would save a pass over memory, and loses digits that second derivatives need.
    return mean, _settled(jnp.mean(jnp.square(x - mean), axes, keepdims=True))


@_moments.defjvp
def _moments_jvp(
    axes: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Moments, Moments]:
    # The variance does not depend on the mean that is subtracted, as Σ (x − mean) = 0. JAX would
    # take that zero's derivative, and each takes a pass over memory and an array that is kept.
    (x,), (tangent,) = primals, tangents
    mean, variance = _moments(x, axes)
    by_variance = 2 * jnp.mean((x - mean) * tangent, axes, keepdims=True)
    by_mean = jnp.mean(tangent, axes, keepdims=True)
    return (mean, variance), (_settled(by_mean, mean), _settled(by_variance, variance))
