"""Encoders: whatever makes features of images, with a name and a digest that say which it is."""

import functools
import hashlib
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from quickstudy.errors import BadInput, demand_counts
from quickstudy.features.preparation import Fit, Picture, Preparation

Features = Callable[[np.ndarray], Any]
"""From images, uint8 `[n, h, w, 3]`, to features `[n, d]`."""


@dataclass(frozen=True)
class Encoder:
    """Images to features: images of any size are prepared, and given to a function in batches.

    `quickstudy.pretrained` makes one of a network that comes with the library,
    `quickstudy.encoder` one of any function.

    Attributes:
        name: for people.
        digest: equal only for encoders that make the same features: a hash of the weights and of
            what is done to an image before. Features are cached under it.
        preparation: how an image of any size becomes uint8 `[h, w, 3]`.
        function: uint8 `[batch, h, w, 3]` to `[batch, d]`.
        batch: how many images `function` is given at a time, always: a last batch that is smaller
            is filled up with copies of its last image, so that one compiled program does for all.
        workers: how many batches are encoded side by side. With 1, `function` is called in the
            caller's own thread.

    Example:
        >>> brightness = encoder(lambda x: x.mean((1, 2)), name="brightness", size=(8, 8))
        >>> brightness(np.zeros((5, 20, 30), np.uint8)).shape
        (5, 3)
    """

    name: str
    digest: str
    preparation: Preparation
    function: Features
    batch: int
    workers: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images that `function` is given, in pixels."""
        return self.preparation.size

    @functools.cached_property
    def features(self) -> int:
        """d, how many numbers describe an image; the first time, an image of zeros is encoded."""
        return self(np.zeros((1, *self.size, 3), np.uint8)).shape[1]

    def __call__(self, images: Sequence[Picture] | np.ndarray) -> Float32[np.ndarray, "n d"]:
        """Features of images: paths, or uint8 arrays of any sizes; `[n, h, w]`, `[n, h, w, 3]`.

        Raises:
            BadInput: no image, one instead of many, or an array of another type or shape.
            DataError: a file that is missing, damaged or no image.
        """
        check_many(images)
        return np.concatenate(list(self.stream(images)))

    def stream(self, images: Iterable[Picture]) -> Iterator[Float32[np.ndarray, "m d"]]:
        """The features of one batch after the other; the next images are read meanwhile."""
        images, waiting = iter(images), deque[Callable[[], np.ndarray]]()
        # Threads are enough: Pillow lets go of the interpreter's lock while it decodes.
        with ThreadPoolExecutor() as readers, ThreadPoolExecutor(self.workers) as pool:
            while batch := list(itertools.islice(images, self.batch)):
                reading = [readers.submit(self.preparation, picture) for picture in batch]
                encode = functools.partial(self._encode, reading)
                waiting.append(encode if self.workers == 1 else pool.submit(encode).result)
                # One batch more than are encoded at once, so that its images are read meanwhile.
                if len(waiting) > self.workers:
                    yield waiting.popleft()()
            while waiting:
                yield waiting.popleft()()

    def _encode(self, reading: list[Future[np.ndarray]]) -> Float32[np.ndarray, "m d"]:
        prepared = [one.result() for one in reading]
        filled = prepared + [prepared[-1]] * (self.batch - len(prepared))
        found = np.asarray(self.function(np.stack(filled)), np.float32)
        if found.ndim != 2 or len(found) != self.batch:
            raise BadInput(
                f"the encoder {self.name} returned features of the shape {list(found.shape)} for "
                f"{self.batch} images; it must return [{self.batch}, d], one row for each image"
            )
        return found[: len(prepared)]


def encoder(
    function: Features,
    *,
    name: str,
    size: tuple[int, int] = (224, 224),
    fit: Fit = "pad",
    batch: int = 32,
) -> Encoder:
    """An encoder of any function from images to features.

    Args:
        function: uint8 `[batch, h, w, 3]`, RGB, to `[batch, d]`; normalisation is its own affair.
        name: features are cached under the name, the size and the fit, for a function shows
            nothing else of itself: give other weights another name.
        size: (h, w) that `function` takes, in pixels.
        fit: how images of other sizes get there: see `Preparation`.
        batch: how many images it is given at a time.

    Raises:
        BadInput: an empty name, or an impossible size, fit or batch.

    Example:
        >>> encoder(lambda x: x.mean((1, 2)), name="mean colour", size=(8, 8)).features
        3
    """
    demand_counts(batch=batch)
    if not name:
        raise BadInput("name is empty; name the function and its weights, such as 'resnet50-v2'")
    preparation = Preparation(size, fit).check()
    return Encoder(name, digest_of("encoder", name, preparation), preparation, function, batch)


def digest_of(*parts: Any) -> str:
    """The SHA-256 of what JSON can say."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def check_many(images: Sequence[Picture] | np.ndarray) -> None:
    """Raise `BadInput` unless it is one image or more, in a sequence."""
    single = isinstance(images, str | Path) or (
        isinstance(images, np.ndarray) and (images.ndim < 3 or images.shape[2:] == (3,))
    )
    if single:
        shown = list(images.shape) if isinstance(images, np.ndarray) else repr(str(images))
        raise BadInput(
            f"{shown} is one image; give several in a list, or one as a list of one: [image]"
        )
    if not len(images):
        raise BadInput("there is no image to encode; give one or more")
