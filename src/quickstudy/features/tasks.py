"""Few-shot tasks of images as tasks of features: every image is encoded once, before training."""

import dataclasses
from collections.abc import Iterator
from typing import TypeVar

import jax.numpy as jnp
import numpy as np

from quickstudy.errors import BadInput
from quickstudy.features.cache import encoded
from quickstudy.features.encoder import Encoder
from quickstudy.progress import Counter, silent
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.varying import Varying

Tasks = TypeVar("Tasks", Episodes, Varying)


def encoded_tasks(tasks: Tasks, encoder: Encoder, *, progress: Counter = silent) -> Tasks:
    """The same tasks, of the features of their images.

    A key draws the same classes and items as before, in the same order. Classes that are
    rotations of others have features of their own. Features come from the cache, where it has
    them.

    Args:
        tasks: of uint8 images.
        encoder: frozen; see `quickstudy.pretrained`.
        progress: called as `progress("encoding", done, total)`.

    Raises:
        BadInput: the tasks are not of images, or change them at random when they are drawn.

    Example:
        >>> from quickstudy.features.encoder import encoder
        >>> images = np.random.default_rng(0).integers(0, 256, (6, 3, 8, 8), np.uint8)
        >>> tasks = Episodes(images, ways=5, shots=1, queries=2)
        >>> mean = encoder(lambda x: x.mean((1, 2)), name="mean colour", size=(8, 8))
        >>> encoded_tasks(tasks, mean).images.shape
        (6, 3, 3)
    """
    if isinstance(tasks, Varying):
        own = encoded_tasks(tasks.episodes, encoder, progress=progress)
        return dataclasses.replace(tasks, episodes=own)
    if not isinstance(tasks, Episodes) or tasks.images.dtype != np.uint8:
        raise BadInput(
            f"{type(tasks).__name__} holds no images of whole numbers from 0 to 255, which an "
            "encoder reads; give Episodes of images"
        )
    if tasks.transform is not None:
        raise BadInput(
            f"these tasks change each image at random when it is drawn "
            f"({type(tasks.transform).__name__}), and a pretrained encoder reads each image once, "
            "before training; give tasks without a transform, or a network that is trained"
        )
    counts, turns = _counts(tasks), tasks.turns
    found = encoded(encoder, list(_images(tasks, counts)), progress=progress)
    features = np.zeros((tasks.classes, tasks.images.shape[1], found.shape[1]), np.float32)
    # The order of `_images`: class by class, each once for every turn.
    places = np.arange(features.shape[1]) < np.repeat(counts, turns)[:, None]
    features[places] = found
    return Episodes(
        features,
        ways=tasks.ways,
        shots=tasks.shots,
        queries=tasks.queries,
        counts=None if tasks.counts is None else np.repeat(counts, turns),
        groups=None if tasks.groups is None else np.repeat(np.asarray(tasks.groups), turns),
        names=None if tasks.names is None else tuple(np.repeat(tasks.names, turns).tolist()),
    )


def _counts(tasks: Episodes) -> np.ndarray:
    classes, items = tasks.images.shape[:2]
    return np.full(classes, items) if tasks.counts is None else np.asarray(tasks.counts)


def _images(tasks: Episodes, counts: np.ndarray) -> Iterator[np.ndarray]:
    """Every image that can be drawn, in the order of `Episodes.draw`'s classes."""
    for row, count in enumerate(counts):
        rows, items = jnp.full(count, row), jnp.arange(count)
        own = np.asarray(tasks.images[rows, items])
        for turn in range(tasks.turns):
            yield from np.rot90(own, turn, axes=(1, 2))
