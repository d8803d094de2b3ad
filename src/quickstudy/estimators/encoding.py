"""From images to features: all that the estimators know of encoders stands here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from quickstudy.errors import BadInput, CheckpointError
from quickstudy.estimators.pictures import pixels
from quickstudy.features import cache
from quickstudy.features.encoder import Encoder
from quickstudy.features.encoder import encoder as prepared_encoder
from quickstudy.progress import Counter, silent

DEFAULT = "efficientnet-lite0"
BATCH = 32
THUMBNAIL = (32, 32)

Item = Path | np.ndarray
"""An image: a file, or uint8 `[h, w, 3]`."""


@runtime_checkable
class FrozenEncoder(Protocol):
    """What makes features of images, and always the same ones."""

    @property
    def name(self) -> str:
        """For people and for files."""
        ...

    @property
    def digest(self) -> str:
        """A hash of all that the features depend on."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the images that it takes."""
        ...

    def __call__(self, images: np.ndarray, /) -> Any:
        """Features `[n, d]` of uint8 images `[n, h, w, 3]`."""
        ...


@dataclass(frozen=True)
class Identity:
    """Which encoder made some features.

    Attributes:
        name: its name.
        digest: its hash; empty for a plain function, which has none.
    """

    name: str
    digest: str


@dataclass(frozen=True)
class Called:
    """Any function from images to features, as an encoder.

    Attributes:
        function: from uint8 `[n, h, w, 3]` to `[n, d]`.
        size: (h, w) that it is given.
    """

    function: Callable[..., Any]
    size: tuple[int, int] = (224, 224)

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__qualname__", type(self.function).__qualname__)

    @property
    def digest(self) -> str:
        """None: what a function depends on is not known."""
        return ""

    def __call__(self, images: np.ndarray, /) -> Any:
        """Its features."""
        return self.function(images)


@dataclass(frozen=True)
class Thumbnails:
    """Pixels as features: what `encoder=None` means for images, and the yardstick beside a report.

    Attributes:
        size: (h, w) of the thumbnails.
    """

    size: tuple[int, int] = THUMBNAIL

    @property
    def name(self) -> str:
        """With its size."""
        return f"pixels-{self.size[0]}x{self.size[1]}"

    @property
    def digest(self) -> str:
        """A version."""
        return "1"

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Levels from 0 to 1, float32 `[n, h · w · 3]`."""
        return images.reshape(len(images), -1).astype(np.float32) / 255


def resolved(encoder: Any) -> FrozenEncoder:
    """The encoder that a setting stands for.

    Args:
        encoder: `"auto"` or a name for `quickstudy.pretrained`, an encoder, any function from
            images to features, or None for pixels.

    Raises:
        BadInput: it is none of them, or there is no encoder of that name.
    """
    if encoder is None or encoder == Thumbnails().name:
        return Thumbnails()
    if isinstance(encoder, str):
        return _pretrained(DEFAULT if encoder == "auto" else encoder)
    if isinstance(encoder, FrozenEncoder):
        return encoder
    if callable(encoder):
        return Called(encoder, getattr(encoder, "size", Called.size))
    raise BadInput(
        f"encoder is {encoder!r}; give the name of a pretrained one, such as {DEFAULT!r}, a "
        "function from uint8 images [n, h, w, 3] to features [n, d], or None for pixels"
    )


def features_of(
    encoder: FrozenEncoder, items: Sequence[Item], progress: Counter = silent
) -> np.ndarray:
    """Features `[n, d]` of images.

    Raises:
        BadInput: the encoder returned something else, or numbers that are not finite.
        DataError: a file is damaged or no image.
    """
    made = _made(encoder, items, progress)
    if not np.isfinite(made).all():
        raise BadInput(
            f"the encoder {encoder.name} made features that are not finite; give one whose "
            "features are finite numbers for every image"
        )
    return made


def _made(encoder: FrozenEncoder, items: Sequence[Item], progress: Counter) -> np.ndarray:
    if isinstance(encoder, Encoder):  # which prepares images itself
        if len(items) == 1:  # the cache is for sets of images: two files for each call
            return np.asarray(encoder(items))
        return cache.encoded(encoder, items, progress=progress)
    # Not cached: what a plain function depends on, a key could not hold.
    parts = []
    for start in range(0, len(items), BATCH):
        batch = np.stack([pixels(item, encoder.size) for item in items[start : start + BATCH]])
        part = np.asarray(encoder(batch))
        if part.ndim != 2 or len(part) != len(batch) or part.dtype.kind != "f":
            raise BadInput(
                f"the encoder {encoder.name} made {part.dtype}{list(part.shape)} of images "
                f"{list(batch.shape)}; it must return floats [{len(batch)}, d]"
            )
        parts.append(part)
        progress("images", start + len(batch), len(items))
    return np.concatenate(parts)


def thumbnails(items: Sequence[Item]) -> np.ndarray:
    """Small images, uint8 `[n, 32, 32, 3]`."""
    plain = Thumbnails()
    own: Any = prepared_encoder(plain, name=plain.name, size=plain.size)  # cached, too
    levels = features_of(own, items)
    return np.rint(levels * 255).astype(np.uint8).reshape(len(levels), *THUMBNAIL, 3)


def demand_same(encoder: FrozenEncoder, fitted: Identity) -> None:
    """Refuse to mix the features of two encoders.

    Raises:
        CheckpointError: the classifier was fitted with another one, or another version of it.
    """
    if Identity(encoder.name, encoder.digest) != fitted:
        raise CheckpointError(
            f"this estimator was fitted on features of {_named(fitted)}, and the encoder here is "
            f"{_named(Identity(encoder.name, encoder.digest))}; install the version of quickstudy "
            "and of the weights that it was fitted with, or fit it again"
        )


def _named(who: Identity) -> str:
    return f"{who.name} (hash {who.digest[:12]})" if who.digest else f"{who.name} (no hash)"


def _pretrained(name: str) -> FrozenEncoder:
    from quickstudy.features.pretrained import pretrained  # needs JAX, which features do not

    try:
        return pretrained(name)
    except BadInput as error:
        raise BadInput(
            f"{error}; a saved estimator is given it again by load(path, encoder=...)"
        ) from error
