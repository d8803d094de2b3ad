"""N-way K-shot episodes from arrays of labelled images, drawn inside the compiled step."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, demand_counts, is_whole
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.reading import as_inputs
from quickstudy.tasks.streaming import HostImages
from quickstudy.tasks.task import Examples, Task
from quickstudy.tasks.transforms import Transform, quarter_turns


class Episodes(eqx.Module):
    """p(T) of few-shot classification: `ways` random classes, renumbered 0 ... ways − 1.

    A task draws its classes uniformly without replacement, then `shots` support and `queries`
    query items of each, all different. The order of the classes, and so their labels, is random;
    the examples of each set are shuffled.

    Attributes:
        images: uint8 `[classes, items, h, w]` or `[classes, items, h, w, c]`; they stay uint8 on
            the device and only the drawn ones become float32 in [0, 1], `[n, h, w, c]`.
            Or float32 features `[classes, items, ...]`, which are passed on as they are.
            `HostImages` stay on the host, where the device has no room for them.
        ways: N, the classes of a task.
        shots: K, the support items per class.
        queries: the query items per class.
        counts: int `[classes]`: only the first `counts[c]` items of class c are drawn. None: all.
        groups: `[classes]`, ids of any kind, kept as int 0, 1 ... in their order: a task's classes
            all come from one group (an alphabet, say), drawn uniformly from the groups with at
            least `ways` classes.
        transform: a random change of the images, for example `Warp()` or `ClassTurns()`.
        turns: with 4, each class counts as four, one per rotation by 90°.
        names: one name per class, for messages.

    Raises:
        BadInput: fewer classes than `ways`, less than 2 ways, or a class with fewer than
            `shots + queries` items.

    Example:
        >>> images = np.zeros((10, 6, 28, 28), np.uint8)
        >>> tasks = Episodes(images, ways=5, shots=1, queries=3)
        >>> task = tasks.sample(jax.random.key(0))
        >>> task.support.x.shape, task.query.y.shape
        ((5, 28, 28, 1), (15,))

    The episode is that of Vinyals et al. (2016, https://arxiv.org/abs/1606.04080).
    """

    images: Shaped[Array, "classes items ..."] | HostImages = eqx.field(
        converter=lambda i: i if isinstance(i, HostImages) else jnp.asarray(i)
    )
    ways: int = eqx.field(static=True)
    shots: int = eqx.field(static=True)
    queries: int = eqx.field(static=True)
    counts: Int[Array, " classes"] | None = eqx.field(
        default=None, converter=lambda c: None if c is None else jnp.asarray(c, jnp.int32)
    )
    groups: Int[Array, " classes"] | None = eqx.field(
        default=None, converter=lambda g: None if g is None else _numbered(g)
    )
    transform: Transform | None = None
    turns: int = eqx.field(static=True, default=1)
    names: tuple[str, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        _check_shape(self)
        _check_classes(self)
        _check_items(self)

    @classmethod
    def of(cls, data: ImageClasses, **settings: Any) -> "Episodes":
        """Episodes over loaded images; `settings` are the remaining attributes (`ways` ...)."""
        even = bool((data.counts == data.images.shape[1]).all())
        counts = None if even else data.counts
        return cls(data.images, counts=counts, names=data.names, **settings)

    @property
    def classes(self) -> int:
        """How many classes there are to draw from, rotations counted."""
        return self.images.shape[0] * self.turns

    def with_shape(
        self, *, ways: int | None = None, shots: int | None = None, queries: int | None = None
    ) -> "Episodes":
        """The same classes in episodes of another shape; what is not given stays.

        Raises:
            BadInput: there are too few classes or items for it.
        """
        given = {"ways": ways, "shots": shots, "queries": queries}
        return dataclasses.replace(self, **{k: v for k, v in given.items() if v is not None})

    def sample(self, key: PRNGKeyArray) -> Task:
        """Draw one task. The key is consumed."""
        return self.draw(key)[0]

    @compiled_once
    def draw(self, key: PRNGKeyArray) -> tuple[Task, Int[Array, " ways"]]:
        """The task of `sample(key)`, and the class in 0 ... classes − 1 behind each label.

        Class c shows `images[c // turns]`, turned anticlockwise by c % turns times 90°.

        Example:
            >>> tasks = Episodes(np.zeros((3, 2, 8, 8), np.uint8), ways=3, shots=1, queries=1)
            >>> sorted(tasks.draw(jax.random.key(0))[1].tolist())
            [0, 1, 2]
        """
        class_key, item_key, order_key, change_key = jax.random.split(key, 4)
        chosen = self._draw_classes(class_key)
        rows, items = chosen // self.turns, self._draw_items(item_key, chosen // self.turns)
        support_key, query_key = jax.random.split(order_key)
        label, slot = (
            jnp.concatenate(pair)
            for pair in zip(
                _shuffled(support_key, self.ways, 0, self.shots),
                _shuffled(query_key, self.ways, self.shots, self.queries),
                strict=True,
            )
        )
        # Both sets in one gather, which with `HostImages` is a call to the host.
        x = self.inputs(self.images[rows[label], items[label, slot]])
        if self.turns > 1:
            x = quarter_turns(x, (chosen % self.turns)[label])
        if self.transform is not None:
            x = self.transform(x, label, key=change_key)
        n, ways = self.ways * self.shots, self.ways
        return Task(Examples(x[:n], label[:n], ways), Examples(x[n:], label[n:], ways)), chosen

    def class_name(self, number: int) -> str:
        """What a class in 0 ... classes − 1 is called, or its number.

        Example:
            >>> images = np.zeros((2, 2, 8, 8), np.uint8)
            >>> Episodes(images, 2, 1, 1, turns=4, names=("a", "b")).class_name(6)
            'b, turned by 180°'
        """
        row, turns = divmod(number, self.turns)
        name = f"class {row}" if self.names is None else self.names[row]
        return f"{name}, turned by {90 * turns}°" if turns else name

    def _draw_classes(self, key: PRNGKeyArray) -> Int[Array, " ways"]:
        """The episode's classes in random order, each in 0 ... classes − 1."""
        if self.groups is None:
            return draw_distinct(key, jnp.asarray(self.classes), self.ways)
        group_key, class_key = jax.random.split(key)
        group_of = jnp.repeat(self.groups, self.turns, total_repeat_length=self.classes)
        # Compiled code needs a length; there are no more groups than classes.
        sizes = jnp.bincount(group_of, length=self.classes)
        large = sizes >= self.ways
        pick = jax.random.randint(group_key, (), 0, large.sum())
        group = jnp.nonzero(large, size=self.classes)[0][pick]
        # Of a fixed size, as compiled code needs it; only the group's own are drawn from.
        members = jnp.nonzero(group_of == group, size=self.classes)[0]
        return members[draw_distinct(class_key, sizes[group], self.ways)].astype(jnp.int32)

    def _draw_items(self, key: PRNGKeyArray, rows: Int[Array, " ways"]) -> Int[Array, "ways drawn"]:
        """Different items of each class, `[ways, shots + queries]`."""
        if self.counts is None:
            available = jnp.full((self.ways,), self.images.shape[1])
        else:
            available = self.counts[rows]
        keys = jax.random.split(key, self.ways)
        draw = jax.vmap(draw_distinct, (0, 0, None))
        return draw(keys, available, self.shots + self.queries)

    def inputs(self, drawn: Shaped[Array, "n ..."]) -> Float[Array, "n ..."]:
        """What the learner sees: uint8 images become `[n, h, w, c]` in [0, 1]."""
        return as_inputs(drawn)


def draw_distinct(key: PRNGKeyArray, n: Int[Array, ""], k: int) -> Int[Array, " k"]:
    """Draw k different numbers from 0 ... n − 1, every ordered choice equally likely.

    The i-th draw is a rank r_i ~ U{0 ... n − 1 − i} among the numbers not yet taken (a Lehmer
    code). Going backwards, each later rank that is at least r_i moves up by one, which turns
    ranks into numbers. The cost is k vector operations of length k and does not depend on n.

    Args:
        key: consumed.
        n: how many numbers there are, at least k; it may be traced.
        k: how many to draw.

    Example:
        >>> sorted(draw_distinct(jax.random.key(0), jnp.asarray(4), 4).tolist())
        [0, 1, 2, 3]
    """
    place = jnp.arange(k)
    # Not `jax.random.choice`, which permutes all n to give k of them.
    ranks = jax.random.randint(key, (k,), 0, n - place)

    def undo(step, numbers):
        i = k - 1 - step
        return numbers + ((place > i) & (numbers >= numbers[i]))

    return jax.lax.fori_loop(0, k, undo, ranks)


def _numbered(ids: Any) -> Int[Array, " classes"]:
    """Equal ids as equal numbers 0, 1 ...: sizes of groups are counted by them."""
    return jnp.asarray(np.unique(np.asarray(ids), return_inverse=True)[1], jnp.int32)


def _shuffled(
    key: PRNGKeyArray, ways: int, first: int, size: int
) -> tuple[Int[Array, " n"], Int[Array, " n"]]:
    """Labels and item slots `first ... first + size − 1` of every class, in random order."""
    # Shuffled, so that a learner that reads a sequence cannot go by the order of classes.
    order = jax.random.permutation(key, ways * size)
    return order // size, first + order % size


def _check_shape(tasks: Episodes) -> None:
    demand_counts(shots=tasks.shots, queries=tasks.queries)
    if not is_whole(tasks.ways, 2):
        raise BadInput(
            f"ways is {tasks.ways}; give a whole number of 2 or more: of one class alone "
            "every answer is right, and there is nothing to learn"
        )
    if tasks.turns not in (1, 2, 4):
        raise BadInput(f"turns is {tasks.turns}; give 1 (no rotations), 2 or 4.")
    image, dtype = tasks.images.shape[2:], tasks.images.dtype
    if dtype == jnp.uint8 and len(image) not in (2, 3):
        raise BadInput(
            f"uint8 images must be [classes, items, h, w] or [classes, items, h, w, c], but "
            f"this array has the shape {tasks.images.shape}."
        )
    if dtype != jnp.uint8 and not jnp.issubdtype(dtype, jnp.floating):
        raise BadInput(f"images are {dtype}; give uint8 pixels or float features.")
    for name in ("counts", "groups", "names"):
        given = getattr(tasks, name)
        if given is not None and len(given) != tasks.images.shape[0]:
            raise BadInput(f"{len(given)} {name} for {tasks.images.shape[0]} classes of images.")


def _check_classes(tasks: Episodes) -> None:
    if tasks.classes < tasks.ways:
        raise BadInput(
            f"{tasks.ways}-way episodes need at least {tasks.ways} classes; there are "
            f"{tasks.classes}. Ask for fewer ways or give more classes."
        )
    if tasks.groups is not None:
        largest = int(np.bincount(np.asarray(tasks.groups)).max()) * tasks.turns
        if largest < tasks.ways:
            raise BadInput(
                f"{tasks.ways}-way episodes within one group need a group of {tasks.ways} "
                f"classes; the largest has {largest}. Ask for fewer ways."
            )


def _check_items(tasks: Episodes) -> None:
    need, items = tasks.shots + tasks.queries, tasks.images.shape[1]
    counts = np.full(len(tasks.images), items) if tasks.counts is None else tasks.counts
    counts = np.asarray(counts)
    if counts.max() > items:
        raise BadInput(f"counts go up to {counts.max()}, but a class holds {items} items.")
    if counts.min() < need:
        worst = int(counts.argmin())
        name = f"class {worst}" if tasks.names is None else f"class {tasks.names[worst]!r}"
        raise BadInput(
            f"{tasks.shots} shots + {tasks.queries} queries need {need} items per class, but "
            f"{name} has {counts[worst]}. Ask for fewer, or leave that class out."
        )
