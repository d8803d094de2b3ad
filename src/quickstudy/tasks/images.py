"""Labelled images on the host, and the splits of their classes."""

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quickstudy.errors import BadInput
from quickstudy.tasks.reading import to_bytes

if TYPE_CHECKING:
    from quickstudy.tasks.task import Examples


@dataclass(frozen=True)
class ImageClasses:
    """Images sorted by class, as NumPy arrays: what a loader returns and `Episodes.of` takes.

    Attributes:
        images: uint8 `[classes, items, h, w]` or `[classes, items, h, w, c]`, where ink is 255; or
            float32 features `[classes, items, d]`.
        names: one name per class.
        counts: int `[classes]`, how many of a class's items are real (the rest is padding).
        groups: int `[classes]` or None: the alphabet, say, that each class belongs to.

    Example:
        >>> data = ImageClasses.of({"a": np.zeros((3, 8, 8)), "b": np.ones((2, 8, 8))})
        >>> data.names, data.counts.tolist(), data.images.shape
        (('a', 'b'), [3, 2], (2, 3, 8, 8))
    """

    images: np.ndarray
    names: tuple[str, ...]
    counts: np.ndarray
    groups: np.ndarray | None = None

    def __post_init__(self):
        given = (len(self.images), len(self.names), len(self.counts))
        if len(set(given)) > 1 or (self.groups is not None and len(self.groups) != given[0]):
            raise BadInput(
                f"images, names and counts describe {given} classes; they must be equally many."
            )

    def __len__(self) -> int:
        return len(self.images)

    @classmethod
    def of(cls, images: Mapping[str, np.ndarray]) -> "ImageClasses":
        """Classes from `name -> [items, h, w]` or `[items, h, w, c]`, padded with zeros.

        Images are kept as uint8; for floats and other numbers see `as_images`.
        """
        if not images:
            raise BadInput("There is no class here; give at least one.")
        arrays = [to_bytes(array, what=f"the images of {name!r}") for name, array in images.items()]
        if len({array.shape[1:] for array in arrays}) > 1:
            shapes = {name: np.shape(array)[1:] for name, array in images.items()}
            raise BadInput(f"All images must have one shape, but the classes have {shapes}.")
        counts = np.array([len(array) for array in arrays], np.int32)
        padded = np.zeros((len(arrays), counts.max(), *arrays[0].shape[1:]), np.uint8)
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = array
        return cls(padded, tuple(images), counts)

    def examples(self) -> "Examples":
        """All images as one labelled set, to adapt to; the label is the class's number.

        Example:
            >>> data = ImageClasses.of({"a": np.zeros((2, 8, 8)), "b": np.zeros((1, 8, 8))})
            >>> data.examples().y.tolist()
            [0, 0, 1]
        """
        from quickstudy.tasks.task import Examples

        rows = [own[:count] for own, count in zip(self.images, self.counts, strict=True)]
        return Examples.of(np.concatenate(rows), np.repeat(np.arange(len(self)), self.counts))

    def digest(self) -> str:
        """A short name for what is in the classes: other images, other name.

        Example:
            >>> data = ImageClasses.of({"a": np.zeros((2, 8, 8)), "b": np.zeros((1, 8, 8))})
            >>> data.digest() == data.select([1, 0]).digest()
            False
        """
        found = hashlib.blake2b(str((self.images.dtype, self.images.shape)).encode(), digest_size=6)
        for own, count in zip(self.images, self.counts, strict=True):
            found.update(str(count).encode())
            found.update(np.ascontiguousarray(own[:count]).data)
        return found.hexdigest()

    def select(self, classes: Sequence[int] | np.ndarray) -> "ImageClasses":
        """Only these classes, in this order."""
        index = np.asarray(classes, int)
        groups = None if self.groups is None else self.groups[index]
        names = tuple(self.names[i] for i in index)
        return ImageClasses(self.images[index], names, self.counts[index], groups)


def split_classes(n: int, sizes: Mapping[str, float], *, seed: int = 0) -> dict[str, np.ndarray]:
    """Divide the class numbers 0 ... n − 1 at random into disjoint named parts.

    Args:
        n: the number of classes.
        sizes: name -> a number of classes (int), or a share of all of them (float). Shares are
            rounded down, except that the last part takes the rest if the shares sum to 1.
        seed: the same seed gives the same split for ever (NumPy's frozen `RandomState`).

    Returns:
        name -> sorted class numbers.

    Raises:
        BadInput: a part would be empty, or the parts need more classes than there are.

    Example:
        >>> parts = split_classes(10, {"train": 0.6, "validation": 0.2, "test": 0.2})
        >>> {name: len(classes) for name, classes in parts.items()}
        {'train': 6, 'validation': 2, 'test': 2}
    """
    # 1e-9, because 0.29 · 100 is 28.999… in floating point, and would be rounded down to 28.
    wanted = {k: int(v * n + 1e-9) if isinstance(v, float) else int(v) for k, v in sizes.items()}
    if all(isinstance(v, float) for v in sizes.values()) and abs(sum(sizes.values()) - 1) < 1e-9:
        last = list(wanted)[-1]
        wanted[last] += n - sum(wanted.values())
    if min(wanted.values(), default=0) < 1:
        empty = ", ".join(name for name, size in wanted.items() if size < 1)
        raise BadInput(
            f"{n} classes divided by {dict(sizes)} leave an empty part, {empty}: {wanted}. Give "
            "more classes, or numbers of classes instead of shares."
        )
    if sum(wanted.values()) > n:
        raise BadInput(
            f"The parts {wanted} need {sum(wanted.values())} classes; there are {n}. Ask for "
            "fewer, or give more classes."
        )
    order = np.random.RandomState(seed).permutation(n)
    ends = np.cumsum(list(wanted.values()))
    return {
        name: np.sort(order[end - size : end])
        for (name, size), end in zip(wanted.items(), ends, strict=True)
    }


def demand_memory(shape: tuple[int, ...]) -> None:
    """Refuse images `[classes, items, h, w, ...]` of bytes that the machine's memory cannot hold.

    Raises:
        BadInput: says how much they need.

    Example:
        >>> demand_memory((10, 6, 28, 28))
    """
    if not hasattr(os, "sysconf"):
        return
    there, wanted = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), math.prod(shape)
    if wanted > there:
        classes, items, height, width = shape[:4]
        raise BadInput(
            f"{classes} classes of up to {items} images of {height}×{width} pixels take "
            f"{wanted / 2**30:,.0f} GiB, and this machine has {there / 2**30:,.0f}; give a smaller "
            "size, or fewer images"
        )
