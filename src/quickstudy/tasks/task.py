"""What a task is: a labelled support set to learn from and a labelled query set to be judged on."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Num, PRNGKeyArray, Shaped

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.tasks.labels import numbered, targets
from quickstudy.tasks.reading import Levels, as_images, as_inputs, demand_readable


class Examples(eqx.Module):
    """A labelled set D = {(x_i, y_i)}.

    Tasks of different sizes share one shape, and one compiled program, by padding: examples that
    are not `real` count for nothing, and classes that are not `present` are never the answer.

    Attributes:
        x: inputs `[n, ...]`; bytes become numbers from 0 to 1 (see `as_inputs`).
        y: class numbers `[n]` in `0 ... ways - 1`, or regression targets `[n, d]`.
        ways: N, the number of classes the labels range over; `None` for regression. It is
            static: a predictor's output size may depend on it.
        real: `[n]`, which examples are more than padding; `None` if all are.
        present: `[ways]`, which classes the task has; `None` if it has all.

    Example:
        >>> Examples.of([[0.0], [1.0], [5.0]], [0, 0, 1]).ways
        2
    """

    x: Shaped[Array, "n ..."] = eqx.field(converter=as_inputs)
    y: Num[Array, "n ..."]
    ways: int | None = eqx.field(static=True, default=None)
    real: Bool[Array, " n"] | None = None
    present: Bool[Array, " ways"] | None = None

    @classmethod
    def of(cls, x: Any, y: Any, *, levels: Levels | None = None) -> "Examples":
        """Examples from anything NumPy reads; integer labels are counted to find `ways`.

        Args:
            x: inputs `[n, ...]`. Images are read by the convention of `as_images`: uint8 and
                uint16 become numbers from 0 to 1, grey images `[n, h, w]` get a channel, floats
                `[n, h, w, 1]` or `[n, h, w, 3]` are from 0 to 1. Other floats are features.
            y: class numbers `[n]`, from 0 on without gaps; or targets `[n, d]`, or floats `[n]`
                for d = 1. For labels of any kind, and for a query set that may lack a class,
                use `labelled`.
            levels: the range of images, where it is not known from their type.

        Raises:
            BadInput: no examples, not as many labels as inputs, images of an unknown range or
                with their channels first, or labels that are neither numbers nor targets.

        Example:
            >>> Examples.of(np.full((2, 28, 28), 255, np.uint8), [0, 1]).x.shape
            (2, 28, 28, 1)
        """
        labels, ways = targets(y)
        return cls(_inputs(x, len(labels), levels), jnp.asarray(labels), ways)

    def __len__(self) -> int:
        return self.x.shape[0]

    @property
    def outputs(self) -> int:
        """How many numbers a prediction has: one per class, or the size of a target."""
        return self.y.shape[-1] if self.ways is None else self.ways

    @property
    def count(self) -> int | Int[Array, ""]:
        """How many of the examples are real."""
        return len(self) if self.real is None else jnp.sum(self.real)

    def packed(self) -> "Examples":
        """The real examples in front, in their order, and the padding behind them.

        Example:
            >>> real = jnp.array([False, True, True])
            >>> Examples(jnp.zeros((3, 1)), jnp.array([7, 8, 9]), 10, real).packed().y.tolist()
            [8, 9, 7]
        """
        if self.real is None:
            return self
        # Stable: memories read the real examples in the order that they have.
        order = jnp.argsort(~self.real, stable=True)
        x, y, real = (part[order] for part in (self.x, self.y, self.real))
        return Examples(x, y, self.ways, real, self.present)

    def with_inputs(self, x: Any) -> "Examples":
        """The same labels with other inputs: features in the place of images, for example."""
        return Examples(x, self.y, self.ways, self.real, self.present)

    def among(self, ways: int) -> "Examples":
        """The same examples in a task of more classes, of which only theirs are present.

        For learners whose head has more outputs than there are classes. Nothing changes where
        there are as many classes already.

        Args:
            ways: N, as many classes as there are, or more.

        Raises:
            BadInput: the labels are no classes, or there are more classes than that.

        Example:
            >>> Examples.of([[0.0], [1.0]], [0, 1]).among(4).present.tolist()
            [True, True, False, False]
        """
        own = demand_classes(self)
        if ways < own:
            raise BadInput(f"ways is {ways} and there are {own} classes; give {own} or more")
        if ways == own:
            return self
        now = jnp.ones(own, bool) if self.present is None else self.present
        present = jnp.concatenate([now, jnp.zeros(ways - own, bool)])
        return Examples(self.x, self.y, ways, self.real, present)

    def members(self, dtype: Any = jnp.float32) -> Float[Array, "n ways"]:
        """1 where an example belongs to a class, else 0; rows of padding are all 0.

        Raises:
            BadInput: the labels are no classes.
        """
        # As a matrix, so that sums over classes are products, whose derivatives are products, too.
        members = jax.nn.one_hot(self.y, demand_classes(self), dtype=dtype)
        return members if self.real is None else members * self.real[:, None]


def demand_labels(examples: Examples) -> None:
    """Refuse labels that are not one for each input, or none of the task's classes; outside of
    compiled code, for it reads them.

    Raises:
        BadInput: says which there are.

    Example:
        >>> demand_labels(Examples(jnp.zeros((2, 1)), jnp.array([1, 2]), ways=2))
        Traceback (most recent call last):
        quickstudy.errors.BadInput: the labels go from 1 to 2, and the task has 2 classes, 0 to 1...
    """
    y, ways = np.asarray(examples.y), examples.ways
    if y.shape[:1] != examples.x.shape[:1]:
        raise BadInput(
            f"y has the shape {list(y.shape)} and x {list(examples.x.shape)}; give a label, or a "
            "target, for each example"
        )
    if ways is None:
        return
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise BadInput(
            f"the labels are {y.dtype}{list(y.shape)}; give [n] whole numbers from 0 on, or take "
            "quickstudy.labelled(x, y), which numbers labels of any kind"
        )
    real = y if examples.real is None else y[np.asarray(examples.real)]
    if len(real) and not (real.min() >= 0 and real.max() < ways):
        raise BadInput(
            f"the labels go from {real.min()} to {real.max()}, and the task has {ways} classes, 0 "
            f"to {ways - 1}; quickstudy.labelled(x, y) numbers labels of any kind"
        )


def labelled(
    x: Any, y: Any, classes: Sequence[Any] | None = None, *, levels: Levels | None = None
) -> tuple[Examples, tuple[Any, ...]]:
    """A labelled set from labels of any kind, and the classes that its numbers stand for.

    Args:
        x: inputs `[n, ...]`; see `Examples.of`.
        y: whole numbers from anywhere, strings or bools, `[n]` or `[n, 1]`; or one-hot rows
            `[n, ways]`.
        classes: those of the support set, for a query set, so that both count alike. None: the
            labels that occur, sorted.
        levels: the range of the images, where it is not known from their type (see `as_images`).

    Returns:
        the examples, with one way per class, and the classes: number i is `classes[i]`.

    Raises:
        BadInput: see `Examples.of`; or a label is not among `classes`.

    Example:
        >>> support, classes = labelled([[0.0], [1.0], [5.0]], ["dog", "cat", "dog"])
        >>> support.y.tolist(), classes
        ([1, 0, 1], ('cat', 'dog'))
        >>> labelled([[2.0]], ["dog"], classes)[0].y.tolist()
        [1]
    """
    numbers, known = numbered(y, classes)
    return Examples(_inputs(x, len(numbers), levels), jnp.asarray(numbers), len(known)), known


def _inputs(x: Any, n: int, levels: Levels | None) -> Array:
    """Inputs `[n, ...]` that have passed the door."""
    inputs = np.asarray(x)
    if n == 0 or inputs.shape[:1] != (n,):
        raise BadInput(
            f"x is {list(inputs.shape)} and y has {n} labels; give one label or target for every "
            "input, and at least one. One image is a batch of one: x[None]."
        )
    if levels is not None:
        # `as_images` may take three axes for one image in colour; here the first counts examples.
        images = inputs[..., None] if inputs.ndim == 3 else inputs
        return jnp.asarray(as_images(images, levels=levels))
    demand_readable(inputs)
    return as_inputs(jnp.asarray(inputs))


def demand_classes(examples: Examples) -> int:
    """N, or `BadInput` if the labels are no classes."""
    if examples.ways is None:
        raise BadInput(
            "this learner needs class labels and the support set has `ways=None`; give "
            "Examples(x, y, ways=N) with integer y, or use a learner for regression"
        )
    return examples.ways


class Task(eqx.Module):
    """One task i: the support set D_i^tr to adapt on and the query set D_i^ts to be judged on."""

    support: Examples
    query: Examples


T = TypeVar("T", covariant=True)


@runtime_checkable
class TaskDistribution(Protocol[T]):
    """p(T): a pure function from a key to a task, so `jax.vmap` makes a meta-batch of it.

    The arrays a distribution samples from are its leaves; everything else is static. Those of this
    library compile `sample` once for each shape, as `quickstudy.compiling.compiled_once` does for
    one's own. To compile a call by hand, `equinox.filter_jit(tasks.sample)`: plain `jax.jit`
    cannot take a bound method of a module that holds arrays.
    """

    def sample(self, key: PRNGKeyArray) -> T:
        """Draw one task. The key is consumed."""
        ...


@compiled_once
def sample_batch(tasks: TaskDistribution[Task], key: PRNGKeyArray, n: int) -> Task:
    """Draw `n` tasks, stacked along a first axis; task i uses `fold_in(key, i)`.

    Args:
        tasks: the distribution p(T).
        key: consumed.
        n: the number of tasks.

    Returns:
        A `Task` whose arrays have a leading axis `[n, ...]`.

    Example:
        >>> import quickstudy as qs
        >>> sample_batch(qs.Sinusoid(shots=5), jax.random.key(0), 3).support.x.shape
        (3, 5, 1)
    """
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(n))
    return jax.vmap(tasks.sample)(keys)
