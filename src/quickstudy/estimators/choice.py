"""Which head suits a support set: the one whose held-out predictions are best."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from threadpoolctl import threadpool_limits

from quickstudy.errors import BadInput
from quickstudy.estimators.calibration import Calibration
from quickstudy.estimators.heads.centroids import CentroidHead
from quickstudy.estimators.heads.discriminant import DiscriminantHead
from quickstudy.estimators.heads.kernel import KernelHead
from quickstudy.estimators.heads.labelled import Labelled, Rows
from quickstudy.estimators.heads.logistic import LogisticHead
from quickstudy.estimators.heads.ridge import RidgeHead

HeadName = Literal["centroids", "ridge", "discriminant", "logistic"]
HEADS: tuple[HeadName, ...] = get_args(HeadName)

Head = CentroidHead | RidgeHead | DiscriminantHead | LogisticHead
RegressionHead = RidgeHead | KernelHead

PENALTIES = (0.03, 0.3, 1.0, 3.0)
"""λ, in mean squared lengths of the centred rows."""
SHRINKAGES = (0.2, 0.8, 0.99, 0.999)
STRENGTHS = (0.01, 0.1, 1.0)
"""λ of logistic regression, in the same unit."""

WIDE = 64
"""From so many features on, they are taken for a network's."""

FEW = 20
"""Up to so many examples logistic regression is fitted without each one in turn."""
FOLDS = 5
SMALL = 500
"""Up to so many examples one thread does all linear algebra."""
MANY = 3000
"""From so many examples on, every head is judged by folds: the rest is memory for n² numbers."""


@dataclass(frozen=True)
class Held:
    """A head and its held-out scores.

    Attributes:
        name: of its kind.
        head: with its settings.
        scores: `[n, ways]`; NaN for examples alone in their class.
        accuracy: of the held-out examples, a share.
        calibration: of the held-out scores.
    """

    name: str
    head: Any
    scores: np.ndarray
    accuracy: float
    calibration: Calibration

    @classmethod
    def of(cls, name: str, head: Any, scores: np.ndarray, examples: Labelled) -> "Held":
        """From the held-out scores: their accuracy and their calibration."""
        of, y = scores[examples.judged], examples.y[examples.judged]
        accuracy = float((of.argmax(1) == y).mean()) if len(y) else math.nan
        return cls(name, head, scores, accuracy, Calibration.of(of, y))


def settings(name: HeadName, examples: Labelled, rows: Rows) -> Iterator[Head]:
    """The settings of a kind of head that are tried."""
    scale = examples.view(rows).scale
    if name == "centroids":
        yield CentroidHead(rows)
    elif name == "ridge":
        yield from (RidgeHead(share * scale, rows) for share in PENALTIES)
    elif name == "discriminant":
        yield from (DiscriminantHead(shrinkage, rows) for shrinkage in SHRINKAGES)
    else:
        yield from (LogisticHead(share * scale, rows) for share in STRENGTHS)


def possible_rows(examples: Labelled) -> tuple[Rows, ...]:
    """Rows of length 1, of square roots where no feature is below 0, as behind a ReLU; and where
    there are few features, whose length may tell classes apart, also plain ones."""
    one: Rows = "root" if examples.x.min(initial=0.0) >= 0 else "unit"
    # Of a network's features rows of length 1 are better alone: 85.5 instead of 85.1 % in 5-way
    # 5-shot, where plain ones were tried, too.
    return (one,) if examples.x.shape[1] >= WIDE else ("plain", one)


def default_head(name: HeadName, examples: Labelled) -> Head:
    """The head of that kind where nothing can be held out: every class has one example."""
    tried = list(settings(name, examples, possible_rows(examples)[0]))
    return tried[len(tried) // 2]


def chosen(examples: Labelled, names: tuple[HeadName, ...]) -> tuple[Held, dict[HeadName, Held]]:
    """The head of the least held-out likelihood, and the best of each kind that was tried.

    Where nothing can be held out it is the first kind, with its middle setting. A single class
    leaves nothing to choose, either.
    """
    if examples.ways == 1 or not examples.judged.any():
        name: HeadName = "centroids" if examples.ways == 1 or len(names) > 1 else next(iter(names))
        nothing = np.full((len(examples), examples.ways), np.nan)
        untold = Calibration.of(nothing[:0], examples.y[:0])
        head = default_head(name, examples)
        return Held(name, head, nothing, math.nan, untold), {}
    found = by_leave_one_out(examples, names)
    return best(list(found.values())), found


def by_leave_one_out(examples: Labelled, names: tuple[HeadName, ...]) -> dict[HeadName, Held]:
    """The best of each kind, by the negative log likelihood of its calibrated held-out scores.

    The likelihood and not the accuracy: of 25 examples two heads often get equally many right.
    Ties go to the earlier setting, so the answer is the same every time.
    """
    # Threads of a linear algebra library that wait for each other over matrices of some dozen rows
    # take ten to twenty times as long as one of them does alone.
    few = threadpool_limits(1) if len(examples) <= SMALL else contextlib.nullcontext()
    with few:
        return _best_of_each(examples, names)


def _best_of_each(examples: Labelled, names: tuple[HeadName, ...]) -> dict[HeadName, Held]:
    found: dict[HeadName, Held] = {}
    for name in names:
        if name == "logistic" and "ridge" in found:  # its costly cousin tries the same rows
            views = (found["ridge"].head.rows,)
        else:
            views = possible_rows(examples)
        heads = (head for rows in views for head in settings(name, examples, rows))
        found[name] = best([judged(name, head, examples) for head in heads])
    return found


def best(held: list[Held]) -> Held:
    """The least negative log likelihood; of equal ones the first."""
    # Rounded, so that a tie stays one in spite of the last digits, which differ by machine.
    return min(held, key=lambda one: round(one.calibration.nll, 9))


def judged(name: HeadName, head: Head, examples: Labelled) -> Held:
    """The head's held-out scores on the examples whose class has another."""
    return Held.of(name, head, held_out(head, examples), examples)


def held_out(head: Any, examples: Labelled) -> np.ndarray:
    """Leave-one-out where that is cheap, else `FOLDS` folds that hold each class's share."""
    closed = not isinstance(head, LogisticHead)
    if closed and len(examples) <= MANY:
        return head.held_out(examples)
    folds = len(examples) if len(examples) <= FEW else FOLDS
    return by_folds(lambda part, left: head.fit(part)(left), examples, folds)


def by_folds(scores_of: Any, examples: Labelled, folds: int) -> np.ndarray:
    """The scores of each example from folds that it is not in, `[n, ways]`.

    Args:
        scores_of: called with the other examples and the features of the fold.
        examples: those alone in their class are in every training part, and stay NaN.
        folds: how many; as many as examples is leave-one-out.
    """
    scores = np.full((len(examples), examples.ways), np.nan)
    place = fold_numbers(examples, folds)
    for fold in range(place.max(initial=-1) + 1):
        out = place == fold
        scores[out] = scores_of(examples.only(~out), examples.x[out])
    return scores


def fold_numbers(examples: Labelled, folds: int) -> np.ndarray:
    """The fold of each example, −1 for those that are never left out.

    A class's examples go to the folds in turn, so that none loses all of its examples at once.
    """
    place = np.full(len(examples), -1)
    if folds >= len(examples):
        place[examples.judged] = np.arange(examples.judged.sum())
        return place
    next_fold = 0
    for k in range(examples.ways):
        own = np.flatnonzero(examples.y == k)
        if len(own) > 1:
            place[own] = (next_fold + np.arange(len(own))) % folds
            next_fold = (next_fold + len(own)) % folds
    return place


def demand_head(head: Any) -> tuple[HeadName, ...]:
    """The kinds of heads that the setting `head` stands for.

    Raises:
        BadInput: it is none.
    """
    if head == "auto":
        return HEADS
    if head not in HEADS:
        raise BadInput(f"head is {head!r}; give 'auto' or one of {', '.join(map(repr, HEADS))}")
    return (head,)


def head_to_json(head: Any) -> dict[str, Any]:
    """The head's settings and its kind."""
    return {"kind": type(head).__name__, **asdict(head)}


def head_from_json(value: dict[str, Any]) -> Any:
    """The head that `head_to_json` wrote.

    Raises:
        KeyError: an unknown kind.
    """
    kinds = {one.__name__: one for one in get_args(Head | RegressionHead)}
    own = {name: setting for name, setting in value.items() if name != "kind"}
    return kinds[value["kind"]](**own)
