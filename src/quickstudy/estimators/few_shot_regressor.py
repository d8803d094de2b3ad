"""A regressor from a few examples, with scikit-learn's interface."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted

from quickstudy.errors import BadInput
from quickstudy.estimators import labels
from quickstudy.estimators.base import FewShotEstimator, Given, demand_squares
from quickstudy.estimators.choice import (
    PENALTIES,
    RegressionHead,
    head_from_json,
    head_to_json,
    possible_rows,
)
from quickstudy.estimators.heads.kernel import KernelHead
from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.ridge import RidgeHead
from quickstudy.estimators.heads.scores import scores_from, scores_to, squared_distances
from quickstudy.estimators.undone import undone_if_refused

HEADS = ("ridge", "kernel")
NOISES = (1e-3, 1e-2, 1e-1, 1.0)
"""λ of the kernel head, whose kernel has the variance 1."""
WIDTHS = (0.5, 1.0, 2.0)
"""w, in median distances between examples."""


class FewShotRegressor(RegressorMixin, FewShotEstimator):
    """Predict numbers of images, or of features, from a few examples.

    A frozen encoder makes features of images; a small head is chosen and fitted on them. The head
    and its settings are those with the least squared error when each example is predicted from
    all the others (leave-one-out, exact).

    Args:
        encoder: see `FewShotClassifier`, also for what X may be.
        head: `ridge` (linear), `kernel` (Gaussian kernel ridge regression), or `auto`, the better
            one by leave-one-out.
        learner: a learner of this library, trained or not, instead of encoder and head.
        image: (height, width, channels) of the images that the learner takes; see
            `FewShotClassifier`.
        random_state: see `FewShotClassifier`.

    Attributes:
        head_: the chosen head and its settings.
        leave_one_out_: the held-out R² of each head that was tried.
        n_features_in_: d.

    Raises:
        BadInput: settings, images or targets that cannot work (a `ValueError`).
        DataError: files that are missing, damaged or no images.

    Example:
        >>> x = np.linspace(-3, 3, 20)[:, None]
        >>> regressor = FewShotRegressor().fit(x, np.sin(x[:, 0]))
        >>> regressor.head_.__class__.__name__
        'KernelHead'
        >>> regressor.predict([[np.pi / 2]]).round(1).tolist()
        [1.0]
    """

    def __init__(
        self,
        encoder: Any = "auto",
        *,
        head: Any = "auto",
        learner: Any = None,
        image: Any = None,
        random_state: Any = 0,
    ):
        # As scikit-learn asks: stored as given, and checked by `fit`.
        self.encoder = encoder
        self.head = head
        self.learner = learner
        self.image = image
        self.random_state = random_state

    @undone_if_refused
    def fit(self, X: Any, y: Any = None) -> "FewShotRegressor":
        """Learn from examples.

        Args:
            X: paths, images or features.
            y: targets `[n]` or `[n, t]`.
        """
        given = self._given(X, reset=True)
        return self._learn(given, self._targets(given, y))

    @undone_if_refused
    def partial_fit(self, X: Any, y: Any = None) -> "FewShotRegressor":
        """Learn from more examples; none of the old images is read again.

        Gives what `fit` on all examples gives.
        """
        first = not hasattr(self, "targets_")
        given = self._given(X, reset=first)
        y = self._targets(given, y)
        if not first:
            if y.shape[1:] != self.targets_.shape[1:]:
                raise BadInput(
                    f"the targets are {list(y.shape)} and were {list(self.targets_.shape)}; give "
                    "targets of the same size"
                )
            y = np.concatenate([self.targets_, y])
            given = Given(self.inputs_, self.thumbnails_).joined(given)
        return self._learn(given, y)

    def predict(self, X: Any) -> np.ndarray:
        """The targets, `[n]` or `[n, t]` as `fit` was given them."""
        check_is_fitted(self, "scores_")
        outputs = self.scores_(self._given(X, reset=False, small=False).inputs)
        return outputs[:, 0] if self.targets_.ndim == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        """Several targets are taken."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _targets(self, given: Given, y: Any) -> np.ndarray:
        if y is None:
            raise BadInput(
                "this estimator requires y to be passed, but the target y is None; give the "
                "targets [n] or [n, t]"
            )
        labels.demand_each(y, "target")
        y = check_array(y, ensure_2d=False, dtype="float64", input_name="y")
        check_consistent_length(given.inputs, y)
        demand_squares(y, "target", "y", small=True)
        return y

    def _learn(self, given: Given, y: np.ndarray) -> "FewShotRegressor":
        if self.head != "auto" and self.head not in HEADS:
            raise BadInput(f"head is {self.head!r}; give 'auto' or one of {HEADS}")
        if len(y) < 2:
            raise BadInput("there is 1 sample; give 2 examples or more")
        self._keep(given)
        self.targets_ = y
        examples = Labelled(given.inputs, y.reshape(len(y), -1), 0)
        if self.learner is not None:
            return self._adapt(examples)
        tried = [head for name in HEADS if self.head in ("auto", name)
                 for head in _settings(name, examples)]  # fmt: skip
        errors = [_squared_error(head, examples) for head in tried]
        self.head_ = tried[int(np.argmin(errors))]
        self.leave_one_out_ = {}
        for name, kind in (("ridge", RidgeHead), ("kernel", KernelHead)):
            own = [e for e, head in zip(errors, tried, strict=True) if isinstance(head, kind)]
            if own:
                self.leave_one_out_[name] = _determination(min(own), examples.onehot)
        self.scores_: Any = self.head_.fit(examples)
        return self

    def _adapt(self, examples: Labelled) -> "FewShotRegressor":
        from quickstudy.estimators.adapted import adapted, seed_of

        self.head_, self.leave_one_out_ = self.learner, {}
        seed = seed_of(self.random_state)
        self.scores_ = adapted(self.learner, examples.x, examples.y, 0, seed)
        return self

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        parts, about = scores_to(self.scores_)
        arrays = {f"scores.{name}": array for name, array in parts.items()}
        return {**arrays, "targets": self.targets_}, {
            "scores": about,
            "head": head_to_json(self.head_),
            "leave_one_out": self.leave_one_out_,
        }

    def _restore(self, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        self.targets_ = arrays["targets"]
        self.scores_ = scores_from(arrays, "scores", header["scores"])
        self.head_ = head_from_json(header["head"])
        self.leave_one_out_ = header["leave_one_out"]


def _settings(name: str, examples: Labelled) -> Iterator[RegressionHead]:
    """The settings of a kind of head that are tried."""
    for rows in possible_rows(examples):
        view = examples.view(rows)
        if name == "ridge":
            yield from (RidgeHead(share * view.scale, rows) for share in (1e-6, 1e-3, *PENALTIES))
            continue
        apart = np.sqrt(squared_distances(view.x, view.x)[np.triu_indices(len(examples), 1)])
        middle = max(float(np.median(apart)), 1e-12)
        for width in WIDTHS:
            yield from (KernelHead(noise, width * middle, rows) for noise in NOISES)


def _determination(error: float, y: np.ndarray) -> float:
    """R² = 1 − error / variance. Targets that are all equal have no variance: there it is 1 where
    the error is rounding, else 0, as in scikit-learn."""
    variance = float(np.square(y - y.mean(0)).mean())
    rounding = float(np.square(1e-14 * np.abs(y).max()))
    return 1 - error / variance if variance > rounding else float(error <= rounding)


def _squared_error(head: RegressionHead, examples: Labelled) -> float:
    return float(np.square(head.held_out(examples) - examples.onehot).mean())
