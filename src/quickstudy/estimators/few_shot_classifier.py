"""A classifier from a few examples of each class, with scikit-learn's interface."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from quickstudy.estimators import choice, labels
from quickstudy.estimators.base import FewShotEstimator, Given
from quickstudy.estimators.calibration import Calibration, probabilities
from quickstudy.estimators.encoding import Thumbnails
from quickstudy.estimators.examined import Examined
from quickstudy.estimators.heads.centroids import CentroidHead
from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.estimators.heads.scores import Scores, scores_from, scores_to
from quickstudy.estimators.novelty import NearestNovelty, demand_share, threshold
from quickstudy.estimators.scorecard import Scorecard
from quickstudy.estimators.undone import undone_if_refused


class FewShotClassifier(ClassifierMixin, FewShotEstimator):
    """Classify images, or features, from a few examples of each class.

    A frozen encoder makes features of images; a small head is chosen and fitted on them:

        p(k | x) = softmax(s_k(f(x)) / T)

    with f the encoder, s the head and T a temperature. Head and temperature are the ones with the
    least negative log likelihood when each example of the support set is predicted from all the
    others (leave-one-out).

    X, wherever it is asked for, is one of

    - the path of a folder with a sub-folder for each class (then no y), of a folder of images (in
      `predict`), or of one image;
    - a list, a generator or a column of pandas of paths, of PIL images, or of arrays `[h, w]` or
      `[h, w, 3]` of different sizes;
    - images `[n, h, w]`, `[n, h, w, 1 or 3 or 4]`, or one `[h, w, 3 or 4]`: uint8, uint16, or
      floats from 0 to 1;
    - features `[n, d]`, which are used as they are.

    Args:
        encoder: f: the name of a pretrained encoder, an encoder, any function from uint8 images
            `[n, h, w, 3]` to features `[n, d]`, or None for the pixels of thumbnails. `auto` is
            EfficientNet-Lite0, or nothing where there is a learner. Features need none.
        head: `centroids` (nearest class means of centred features of length 1, CL2N, Wang et al.,
            2019, https://arxiv.org/abs/1911.04623), `ridge`, `discriminant` (LDA, shrunk),
            `logistic`, or `auto`: the best of them by leave-one-out, and `centroids` where every
            class has one example.
        unknown: whether `predict` may answer `unknown_label` for what resembles no example: False;
            True; or the share of known things, 0.05 for True, that may be taken for unknown.
        unknown_label: that answer; None is "unknown" where classes are strings, and −1 where they
            are numbers.
        learner: a learner of this library, trained or not, instead of encoder and head: it adapts
            to the support set. With an encoder it takes the features, else the images.
        image: (height, width, channels) of the images that the learner takes. Grey ones whose
            border is lighter than middle grey are inverted, so that ink is light, whether they are
            files, PIL images or arrays; (height, width, 1, "light") leaves them as they are, and
            "dark" inverts all. `from_run` takes the run's own. Without it, images have the size of
            the arrays that it was fitted on.
        random_state: a whole number, for learners that adapt at random; None or a `RandomState`
            draws one.

    Attributes:
        classes_: the labels, sorted.
        head_: the chosen head and its settings.
        leave_one_out_: the held-out accuracy of each head that was tried, and of `pixels` where
            X was images: nearest centroids on thumbnails, a yardstick.
        calibration_: T, and the calibration error (ECE) and likelihood before and after.
        threshold_: the novelty from which on `predict` answers `unknown_label`; None without.
        n_features_in_: d.

    Raises:
        BadInput: settings, images or labels that cannot work (a `ValueError`).
        DataError: files that are missing, damaged or no images.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(12, 8))
        >>> features[:6] += 2
        >>> names = ["cat"] * 6 + ["dog"] * 6
        >>> classifier = FewShotClassifier(head="ridge").fit(features, names)
        >>> classifier.predict(features[[0, -1]]).tolist()
        ['cat', 'dog']
        >>> classifier.predict_proba(features).shape
        (12, 2)
        >>> classifier.partial_fit(features[:3] - 9, ["bird"] * 3).classes_.tolist()
        ['bird', 'cat', 'dog']
    """

    def __init__(
        self,
        encoder: Any = "auto",
        *,
        head: Any = "auto",
        unknown: Any = False,
        unknown_label: Any = None,
        learner: Any = None,
        image: Any = None,
        random_state: Any = 0,
    ):
        # As scikit-learn asks: stored as given, and checked by `fit`.
        self.encoder = encoder
        self.head = head
        self.unknown = unknown
        self.unknown_label = unknown_label
        self.learner = learner
        self.image = image
        self.random_state = random_state

    @undone_if_refused
    def fit(self, X: Any, y: Any = None) -> "FewShotClassifier":
        """Learn from a support set.

        Args:
            X: folder, paths, images or features.
            y: labels `[n]`, of any kind that sorts; none for a folder of classes.
        """
        given = self._given(X, reset=True, labelled=y is None)
        y = labels.checked(given, y)
        if demand_share(self.unknown) is None:
            labels.demand_several(y)
        return self._learn(given, y)

    @undone_if_refused
    def partial_fit(self, X: Any, y: Any = None, classes: Any = None) -> "FewShotClassifier":
        """Learn from more examples, also of new classes; none of the old images is read again.

        Gives what `fit` on all examples gives.

        Args:
            X: folder, paths, images or features.
            y: labels `[n]`; one label for all if only one is given.
            classes: scikit-learn's list of the classes to come. Classes may come at any time, so
                that it is only checked: each label must be in it.
        """
        first = not hasattr(self, "classes_")
        given = self._given(X, reset=first, labelled=y is None)
        y = labels.checked(given, labels.repeated(y, len(given.inputs)))
        labels.demand_among(y, classes)
        if not first:
            before = Given(self.inputs_, self.thumbnails_)
            y = np.concatenate([self.classes_[self.labels_], labels.alike(y, self.classes_)])
            given = before.joined(given)
        return self._learn(given, y)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each, or `unknown_label`, `[n]`.

        Args:
            X: images or features; a single image gives one answer, `[1]`.
        """
        return self._examined(self._fitted(X)).answers

    def predict_proba(self, X: Any) -> np.ndarray:
        """The calibrated probabilities of `classes_`, `[n, ways]`; rows sum to 1."""
        return self._examined(self._fitted(X)).probabilities

    def examine(self, X: Any) -> Examined:
        """The answers, their probabilities, the yardstick's answers and the features, at once.

        Args:
            X: images or features.
        """
        return self._examined(self._fitted(X, small=True))

    def novelty(self, X: Any) -> np.ndarray:
        """How unlike all examples each is, `[n]`: the distance to the nearest one.

        With a learner, 1 − the largest probability.
        """
        given = self._fitted(X)
        return self._novelty(given.inputs, self._examined(given).probabilities)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The accuracy, a share.

        Args:
            X: folder of classes, images or features.
            y: the right labels. Of a class that is not in `classes_` the right answer is
                `unknown_label`, and without `unknown` there is none.
            sample_weight: `[n]`, of each.
        """
        seen, y = self._judged(X, y, small=False)
        return float(np.average(seen.answers == seen.expected(y), weights=sample_weight))

    def report(self, X: Any, y: Any = None) -> Scorecard:
        """The accuracy with its interval, that of a yardstick, and the pairs that are confused.

        Args:
            X: folder of classes, images or features.
            y: the right labels; see `score`.
        """
        seen, y = self._judged(X, y)
        return seen.against(y)

    def _learn(self, given: Given, y: np.ndarray) -> "FewShotClassifier":
        share = demand_share(self.unknown)
        names = choice.demand_head(self.head)
        self.classes_, self.labels_ = np.unique(y, return_inverse=True)
        label = labels.unknown(self.unknown_label, self.classes_) if share else None
        self._keep(given)
        self.unknown_label_ = label
        examples = Labelled(given.inputs, self.labels_, len(self.classes_))
        held = self._adapt(examples) if self.learner is not None else self._choose(examples, names)
        self.pixels_ = self._yardstick(given)
        self.threshold_ = None
        if share is not None:
            self.threshold_ = threshold(self._held_out_novelty(examples, held), share)
        return self

    def _choose(self, examples: Labelled, names: tuple[choice.HeadName, ...]) -> np.ndarray:
        """Choose, fit and calibrate the head; returns the held-out scores."""
        chosen, found = choice.chosen(examples, names)
        self.head_, self.calibration_ = chosen.head, chosen.calibration
        self.leave_one_out_ = {name: one.accuracy for name, one in found.items()}
        self.scores_: Any = chosen.head.fit(examples)
        return chosen.scores

    def _adapt(self, examples: Labelled) -> np.ndarray:
        """Adapt and calibrate the learner; returns the held-out scores."""
        from quickstudy.estimators.adapted import judged_learner, seed_of

        self.scores_, held = judged_learner(self.learner, examples, seed_of(self.random_state))
        self.head_, self.calibration_ = self.learner, held.calibration
        self.leave_one_out_ = {"learner": held.accuracy}
        return held.scores

    def _yardstick(self, given: Given) -> Scores | None:
        """Nearest centroids on thumbnails, and their held-out accuracy."""
        if given.thumbnails is None:
            return None
        flat = Labelled(Thumbnails()(given.thumbnails), self.labels_, len(self.classes_))
        head = CentroidHead()
        if flat.judged.any() and flat.ways > 1:
            self.leave_one_out_["pixels"] = choice.judged("centroids", head, flat).accuracy
        return head.fit(flat)

    def _fitted(self, X: Any, *, labelled: bool = False, small: bool = False) -> Given:
        check_is_fitted(self, "scores_")
        return self._given(X, reset=False, labelled=labelled, small=small)

    def _examined(self, given: Given) -> Examined:
        scores = self.scores_(given.inputs)
        p = probabilities(scores, self.calibration_.temperature)
        answers, pixels = self.classes_[p.argmax(1)], None
        if self.threshold_ is not None:
            rejected = self._novelty(given.inputs, p) > self.threshold_
            answers = np.where(rejected, np.asarray(self.unknown_label_), answers)
        if given.thumbnails is not None and self.pixels_ is not None:
            pixels = self.classes_[self.pixels_(Thumbnails()(given.thumbnails)).argmax(1)]
        bounded = self.learner is not None and self.learner.bounded_scores
        return Examined(
            self.classes_, answers, p, 1 / (1 + np.exp(-scores)) if bounded else p,
            "score" if bounded else "probability", pixels, given.inputs,
            None if self.threshold_ is None else self.unknown_label_,
        )  # fmt: skip

    def _novelty(self, inputs: np.ndarray, given: np.ndarray) -> np.ndarray:
        return self._nearest()(inputs) if self.learner is None else 1 - given.max(1)

    def _nearest(self) -> NearestNovelty:
        return NearestNovelty.of(self.head_.rows, self.inputs_)

    def _held_out_novelty(self, examples: Labelled, held: np.ndarray) -> np.ndarray:
        if self.learner is None:
            return self._nearest().held_out()[examples.judged]
        held = held[examples.judged]
        return 1 - probabilities(held, self.calibration_.temperature).max(1)

    def _judged(self, X: Any, y: Any, *, small: bool = True) -> tuple[Examined, np.ndarray]:
        """The answers and the labels."""
        given = self._fitted(X, labelled=y is None, small=small)
        return self._examined(given), labels.checked(given, y)

    def _state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = {"labels": self.labels_}
        header: dict[str, Any] = {"classes": labels.classes_to_json(self.classes_)}
        for name, scores in (("scores", self.scores_), ("pixels", self.pixels_)):
            parts, header[name] = scores_to(scores)
            arrays |= {f"{name}.{part}": array for part, array in parts.items()}
        header |= {
            "head": choice.head_to_json(self.head_),
            "leave_one_out": self.leave_one_out_,
            "calibration": self.calibration_.to_json(),
            "threshold": self.threshold_,
            "unknown_label": self.unknown_label_,
        }
        return arrays, header

    def _restore(self, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
        self.classes_, self.labels_ = labels.classes_from_json(header["classes"]), arrays["labels"]
        self.scores_, self.pixels_ = (
            scores_from(arrays, name, header[name]) for name in ("scores", "pixels")
        )
        self.head_ = choice.head_from_json(header["head"])
        self.leave_one_out_ = header["leave_one_out"]
        self.calibration_ = Calibration.from_json(header["calibration"])
        self.threshold_ = header["threshold"]
        self.unknown_label_ = header["unknown_label"]
