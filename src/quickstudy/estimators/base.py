"""What the estimators share: how X is read, encoded and kept, and what a file holds of it."""

import abc
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from quickstudy.errors import BadInput
from quickstudy.estimators import encoding, saved
from quickstudy.estimators.pictures import Pictures, as_learned, listed, look_of, pictures
from quickstudy.tasks.animations import tell_animated_files
from quickstudy.tasks.pictures import Look, unlike_training

LOG = logging.getLogger(__name__)

Estimator = TypeVar("Estimator", bound="FewShotEstimator")


@dataclass(frozen=True)
class Given:
    """X as it is learned from.

    Attributes:
        inputs: features `[n, d]`, or for a learner uint8 images `[n, h, w, c]`.
        thumbnails: uint8 `[n, 32, 32, 3]`; None where X was features.
        labels: the names of the images' folders, or None.
    """

    inputs: np.ndarray
    thumbnails: np.ndarray | None
    labels: list[str] | None = None

    def joined(self, later: "Given") -> "Given":
        """Both, one behind the other."""
        if (self.thumbnails is None) != (later.thumbnails is None):
            kinds = ("features", "images")
            before, now = (kinds[one.thumbnails is not None] for one in (self, later))
            raise BadInput(f"fitted on {before} and given {now}; give {before}")
        shots = None
        if self.thumbnails is not None and later.thumbnails is not None:
            shots = np.concatenate([self.thumbnails, later.thumbnails])
        return Given(np.concatenate([self.inputs, later.inputs]), shots)


class FewShotEstimator(BaseEstimator, abc.ABC):
    """The base of `FewShotClassifier` and `FewShotRegressor`; see there."""

    encoder: Any
    learner: Any
    image: Any
    n_features_in_: int

    def _given(self, X: Any, *, reset: bool, labelled: bool = False, small: bool = True) -> Given:
        """X read and encoded.

        Args:
            X: see `FewShotClassifier`.
            reset: whether it decides the number of features, or must fit it.
            labelled: whether a folder is one of classes.
            small: whether thumbnails are wanted.
        """
        self._demand_learner()
        X = listed(X)
        found = pictures(X, labelled=labelled)
        if found is None:
            if not reset:
                self._demand_features()
            return Given(self._features(X, reset=reset), None)
        if not reset:
            self._demand_images()
            self._demand_layout(X)
        # Not by what reads them: features of files that were read before are in a cache.
        tell_animated_files(one for one in found.items if isinstance(one, Path))
        shots = encoding.thumbnails(found.items) if small else None
        if self.learner is not None and self._encoder() is None:
            return Given(self._images(found, reset=reset), shots, found.labels)
        encoder = self._encoder() or encoding.resolved("auto")
        identity = encoding.Identity(encoder.name, encoder.digest)
        if reset:
            self.encoder_ = identity
        elif self.encoder_ is not None:
            encoding.demand_same(encoder, self.encoder_)
        features = encoding.features_of(encoder, found.items)
        return Given(self._features(features, reset=reset), shots, found.labels)

    def _features(self, X: Any, *, reset: bool) -> np.ndarray:
        """Features checked by scikit-learn: numbers `[n, d]`, all finite, of the right d; and of a
        size whose squares are numbers, too."""
        found: Any = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        # Only what is learned from can be too small: a query of zeros is far from all classes.
        demand_squares(found, "feature", "X", small=reset)
        return found

    def _encoder(self) -> encoding.FrozenEncoder | None:
        """The encoder; None for a learner that takes images itself."""
        if self.learner is not None and self.encoder in ("auto", None):
            return None
        return encoding.resolved(self.encoder)

    def _images(self, found: Pictures, *, reset: bool) -> np.ndarray:
        """Images as a learner takes them, uint8 `[n, h, w, c]`: those after `fit` in the size of
        what it was fitted on."""
        shapes = {one.shape[:2] for one in found.items if isinstance(one, np.ndarray)}
        fixed = all(isinstance(one, np.ndarray) for one in found.items) and len(shapes) == 1
        if self.image is None and reset and not fixed:
            raise BadInput(
                "the images are files or have different sizes, and the size that the learner "
                "takes is not known; give image=(height, width, channels), such as (28, 28, 1)"
            )
        if self.image is not None:
            look = look_of(self.image)
        else:
            look = Look(shapes.pop() if reset else self.inputs_.shape[1:3], 3)
        files = [one for one in found.items if isinstance(one, Path)]
        if (said := unlike_training(files, (*look.size, look.channels))) is not None:
            LOG.warning("%s", said)
        return np.stack([as_learned(one, look) for one in found.items])

    def _demand_learner(self) -> None:
        if self.learner is not None:
            # JAX is imported with it, and nobody else waits for that.
            from quickstudy.estimators.adapted import demand_learner

            demand_learner(self.learner)

    def _demand_images(self) -> None:
        # An encoder that was named may have made the features, and makes them of images, too.
        named = not (self.encoder is None or self.encoder == "auto")
        if self.thumbnails_ is None and not named:
            raise BadInput(
                f"this {type(self).__name__} was fitted on features [n, {self.n_features_in_}] "
                "and is given images; give features of the same kind, or fit it on images"
            )

    def _demand_features(self) -> None:
        if self.thumbnails_ is not None and self.inputs_.ndim == 4:
            raise BadInput(
                f"this {type(self).__name__} was fitted on images and is given features; give "
                "images, or fit it on features"
            )

    def _demand_layout(self, X: Any) -> None:
        shape = getattr(X, "shape", ())
        channels_first = len(shape) == 3 and shape[0] == 3 and shape[2] not in (1, 3)
        if channels_first and self.thumbnails_ is not None and np.ptp(self.thumbnails_, -1).any():
            raise BadInput(
                f"X is {list(shape)}, which would be three grey images [n, h, w], and this "
                f"{type(self).__name__} was fitted on colour; give one colour image as [h, w, 3], "
                "X.transpose(1, 2, 0), or three grey ones in a list"
            )

    def _keep(self, given: Given) -> None:
        """Keep the support set: `partial_fit` goes on from it."""
        self.inputs_, self.thumbnails_ = given.inputs, given.thumbnails
        if given.thumbnails is None:
            self.encoder_ = None

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator as one file, whole or not at all.

        It holds the features of the support set, and, where that was images, thumbnails of 32×32
        pixels: `partial_fit` goes on from them.

        Args:
            path: the file; an older one is replaced.

        Raises:
            BadInput: it has a learner, which a file of arrays cannot rebuild.
            CheckpointError: it cannot be written; the old file is untouched.
        """
        check_is_fitted(self, "scores_")
        if self.learner is not None:
            raise BadInput(
                "an estimator with a learner of your own cannot be saved: a file names no code to "
                "rebuild it from. Save the learner by quickstudy.export and adapt it after loading"
            )
        arrays, header = self._state()
        arrays["inputs"] = self.inputs_
        if self.thumbnails_ is not None:
            arrays["thumbnails"] = self.thumbnails_
        header |= {
            "kind": type(self).__name__,
            "settings": self._settings(),
            "encoder": None if self.encoder_ is None else asdict(self.encoder_),
            "features": self.n_features_in_,
        }
        saved.write(Path(path).expanduser(), arrays, header)

    @classmethod
    def from_run(cls: type[Estimator], path: str | Path, recipe: Any = None) -> Estimator:
        """An estimator, to be fitted, whose learner is the one that a run trained.

        Args:
            path: the run's folder, or a file that `quickstudy.export` wrote.
            recipe: the code of your own that the run was made with; see `quickstudy.load`.

        Raises:
            BadInput: a run of a policy, which learns from no examples.
            CheckpointError: it is missing or damaged.

        Example:
            >>> import quickstudy as qs
            >>> run = "runs/prototypical-omniglot"
            >>> classifier = qs.FewShotClassifier.from_run(run).fit("letters/")  # doctest: +SKIP
        """
        # The one import that goes upward: a run is rebuilt by its recipe (see pyproject.toml).
        from quickstudy.experiments.saved import learner_of

        trained = learner_of(path, recipe)
        own = cls()
        own.set_params(learner=trained.learner, image=trained.image)
        if trained.image and trained.ink != "auto":
            own.set_params(image=(*trained.image, trained.ink))
        if trained.encoder:
            own.set_params(encoder=trained.encoder)
        return own

    @classmethod
    def load(cls: type[Estimator], path: str | Path, *, encoder: Any = None) -> Estimator:
        """Read a file that `save` wrote; nothing in it is run.

        Args:
            path: the file.
            encoder: for files whose encoder was a function or object of one's own; give the same
                one. A pretrained encoder is found by its name.

        Raises:
            CheckpointError: missing, damaged, changed, or of another kind or format; or, as soon
                as images are given, of another encoder than the one here.
        """
        arrays, header = saved.read(Path(path).expanduser(), cls.__name__)
        try:
            own = cls(**header["settings"])
            if encoder is not None:
                own.set_params(encoder=encoder)
            own.n_features_in_ = int(header["features"])
            who = header["encoder"]
            own.encoder_ = None if who is None else encoding.Identity(**who)
            own._keep_loaded(arrays)
            own._restore(arrays, header)
        except saved.FINDS as error:
            raise saved.CheckpointError(
                f"{path} does not hold what a {cls.__name__} needs ({error}); install the version "
                f"of quickstudy that wrote it, {header.get('quickstudy')}"
            ) from error
        return own

    def _keep_loaded(self, arrays: dict[str, np.ndarray]) -> None:
        self.inputs_, self.thumbnails_ = arrays["inputs"], arrays.get("thumbnails")

    def _settings(self) -> dict[str, Any]:
        """The constructor's arguments as JSON; an encoder by its name."""
        settings = self.get_params(deep=False)
        if not isinstance(self.encoder, str | None):
            settings["encoder"] = encoding.resolved(self.encoder).name
        return {name: _plain(value) for name, value in settings.items()}

    @abc.abstractmethod
    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What was fitted, as arrays and as JSON."""

    @abc.abstractmethod
    def _restore(self, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        """Take what `_state` gave."""


def demand_squares(x: np.ndarray, each: str, name: str, *, small: bool) -> None:
    """Refuse numbers whose squares are none that count.

    Args:
        x: finite, of any shape.
        each: what one of them is called.
        name: what they are called together.
        small: whether they can be too small.

    Raises:
        BadInput: says by what they must be multiplied.
    """
    limits, most = np.finfo(x.dtype), np.max(np.abs(x), initial=0)
    low, high = 1e3 * np.sqrt(limits.tiny), 1e-3 * np.sqrt(limits.max)
    if most > high or (small and 0 < most < low):
        raise BadInput(
            f"the largest {each} is {most:.2g}, whose square {x.dtype} cannot hold well; "
            f"multiply {name} by a number, so that it lies between {low:.0g} and {high:.0g}"
        )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
