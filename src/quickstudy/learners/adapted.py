"""The door of a learner: what `adapt` checks, and how a predictor reads what it is given."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from quickstudy.errors import BadInput
from quickstudy.tasks.reading import as_inputs, demand_readable
from quickstudy.tasks.task import Examples, demand_labels

Remedy = tuple[str, str, Callable[[Any], bool], Callable[[Any], Any]]

# Common mistakes of shape: what the inputs are, the remedy to name, whether their shape can be
# that, and the remedy as a function, of which only the resulting shape is looked at.
REMEDIES: tuple[Remedy, ...] = (
    ("one example instead of a batch", "x[None]", lambda x: True, lambda x: x[None]),
    (
        "channels first",
        "np.moveaxis(x, -3, -1)",
        lambda x: x.ndim == 4 and x.shape[1] in (1, 3),
        lambda x: jnp.moveaxis(x, -3, -1),
    ),
    ("images without a channel", "x[..., None]", lambda x: x.ndim == 3, lambda x: x[..., None]),
    (
        "one image without a channel",
        "x[None, ..., None]",
        lambda x: x.ndim == 2,
        lambda x: x[None, ..., None],
    ),
    (
        "colour images, and the network takes grey ones",
        "as_images(x, channels=1)",
        lambda x: x.ndim == 4 and x.shape[-1] == 3,
        lambda x: x[..., :1],
    ),
    (
        "grey images, and the network takes colour ones",
        "as_images(x, channels=3)",
        lambda x: x.ndim == 4 and x.shape[-1] == 1,
        lambda x: jnp.repeat(x, 3, -1),
    ),
    (
        "images, and the network takes vectors",
        "x.reshape(len(x), -1)",
        lambda x: x.ndim > 2,
        lambda x: x.reshape(len(x), -1),
    ),
)


class Adapted(eqx.Module):
    """A predictor that reads its inputs as its support set was read; else it is the predictor.

    Attributes:
        predictor: φ, from inputs `[n, ...]` to outputs `[n, d]`.
        example: the shape of one example of the support set.
        unit: whether the support set held images from 0 to 1, so that others are refused.
        outputs: how many outputs the support set's task has; None where they are not classes.
    """

    predictor: Any
    example: tuple[int, ...] = eqx.field(static=True)
    unit: bool = eqx.field(static=True, default=False)
    outputs: int | None = eqx.field(static=True, default=None)

    def __call__(self, x: Any) -> Any:
        """φ(x), where bytes are scaled as those of a support set are.

        Raises:
            BadInput: inputs that the predictor cannot take, or images in another range; says what
                was given and what the support set was.
        """
        # A matrix product takes a single vector without an error.
        if jnp.shape(x) == self.example:
            raise BadInput(f"x is one example, {list(jnp.shape(x))}; give a batch: x[None].")
        # A range is read from numbers, and inside compiled code there are only shapes.
        if self.unit and not _traced(x):
            demand_readable(np.asarray(x))
        # Only what is plainly numbers: a network of the user's own may read any pytree.
        x = as_inputs(jnp.asarray(x) if isinstance(x, np.ndarray | list | tuple) else x)
        seen = f"; the support set's examples are {list(self.example)}"
        outputs = explained(self.predictor, x, seen)
        if self.outputs not in (None, *jnp.shape(outputs)[1:2]):
            raise BadInput(
                f"the predictor has {jnp.shape(outputs)[1:]} outputs and the support set has "
                f"{self.outputs} classes; give a support set with as many classes as outputs, or "
                "support.among(ways) where it has fewer."
            )
        return outputs

    def __getattr__(self, name: str) -> Any:
        # Double-underscore names are protocols that this object answers itself, and `predictor` is
        # missing while a copy is being built: forwarding would recurse without end.
        if name.startswith("__") or name == "predictor":
            raise AttributeError(name)
        return getattr(self.predictor, name)


def through_the_door(adapt: Callable[..., Any]) -> Callable[..., Any]:
    """A learner's `adapt`, `unadapted` or `adapt_by_steps`, with its checks and an `Adapted`.

    The support set is checked outside of compiled code; inside, shapes alone speak.
    """

    @functools.wraps(adapt)
    def opened(learner: Any, support: Examples, *args: Any, **kwargs: Any) -> Any:
        traced = _traced((learner, support, args, kwargs))
        if not traced:
            demand_labels(support)
            learner.check_support(support)
        # A function of the inputs alone, on which remedies can be tried.
        predictor = explained(
            lambda x: adapt(learner, support.with_inputs(x), *args, **kwargs), support.x
        )
        # A subclass's `adapt` that calls its parent's has been through this door already.
        if predictor is None or isinstance(predictor, Adapted):
            return predictor
        unit = not traced and _in_unit(support.x)
        return Adapted(predictor, support.x.shape[1:], unit, support.ways)

    return opened


def explained(function: Callable[[Any], Any], x: Any, beside: str = "") -> Any:
    """function(x); where it cannot take inputs of that shape, an error that says which it can.

    Raises:
        BadInput: a remedy would work; the message names it. Other errors stay as they are, with
            a note about the shape that was given.
    """
    try:
        return function(x)
    except BadInput:
        raise
    except (TypeError, ValueError, IndexError) as error:
        given = f"x is {list(jnp.shape(x))}"
        # Where the shapes alone pass, the error is about something else, and no remedy is named.
        for what, remedy, may_be, change in () if _works(function, x) else REMEDIES:
            if may_be(x) and _works(lambda x, change=change: function(change(x)), x):
                raise BadInput(f"{given}: {what}; give {remedy}{beside}") from error
        error.add_note(given + beside)
        raise


def shape_of(function: Callable[..., Any], *arguments: Any) -> Any:
    """`eqx.filter_eval_shape(function, *arguments)`, remembered for arguments of equal shapes.

    Every `adapt` outside of compiled code checks its learner, and tracing a network anew each
    time would take longer than to run it.
    """
    # Shapes in place of arrays: they have a hash, and keep no weights alive in the cache.
    arrays, rest = eqx.partition(arguments, eqx.is_array)
    shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), arrays)
    leaves, treedef = jax.tree.flatten((shapes, rest))
    try:
        return _shape(function, tuple(leaves), treedef)
    except TypeError:  # a setting that has no hash, and so cannot be remembered
        return eqx.filter_eval_shape(function, *eqx.combine(shapes, rest))


@functools.lru_cache(maxsize=256)
def _shape(function: Callable[..., Any], leaves: tuple[Any, ...], treedef: Any) -> Any:
    shapes, rest = jax.tree.unflatten(treedef, leaves)
    return eqx.filter_eval_shape(function, *eqx.combine(shapes, rest))


def _works(function: Callable[[Any], Any], x: Any) -> bool:
    try:
        eqx.filter_eval_shape(function, x)
    except Exception:  # whatever a network says of a shape that it cannot take
        return False
    return True


def _traced(tree: Any) -> bool:
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))


def _in_unit(x: Any) -> bool:
    """Whether these are float images from 0 to 1."""
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        return False
    least, most = np.min(x), np.max(x)
    return bool(least >= 0 and most <= 1)
