"""Measure the default classifier on photographs: the stamps of Tux Paint, eleven categories.

    apt-get install tuxpaint-stamps-default
    python results/stamps.py /usr/share/tuxpaint/stamps

The categories are all folders with at least ten photographs; folders of drawings are left out.
Tasks are 5-way, with 1, 3 and 5 examples of each class and 5 questions of each; the methods meet
the same tasks, and differences are paired. ECE is of the probabilities of all tasks, and AUROC of
telling the questions from photographs of the six other categories. Prints a table in Markdown.
"""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

import quickstudy as qs
from quickstudy.evaluation.calibration_error import expected_calibration_error
from quickstudy.features.cache import encoded

CATEGORIES = (
    "animals/birds",
    "animals/fish",
    "animals/mammals",
    "animals/mammals/bovines",
    "clothes",
    "food/fruit",
    "food/vegetables",
    "household/tools",
    "plants/flowers",
    "space/planets",
    "symbols/alphabets/asl",
)
MIRRORED = ("_mirror", "_flip")
WAYS, QUERIES, TASKS = 5, 5, 300


class Task(NamedTuple):
    """Features of a support set and of questions, with labels, and some of none of the classes."""

    x: np.ndarray
    y: np.ndarray
    query: np.ndarray
    answers: np.ndarray
    others: np.ndarray


def photographs(folder: Path) -> dict[str, list[Path]]:
    """The files of each category, without mirror images."""
    found = {name: sorted((folder / name).glob("*.png")) for name in CATEGORIES}
    return {
        name: [file for file in files if not file.stem.endswith(MIRRORED)]
        for name, files in found.items()
    }


def tasks(features: list[np.ndarray], shots: int) -> Iterator[Task]:
    """The same ones at each call."""
    rng = np.random.default_rng(shots)
    for _ in range(TASKS):
        order = rng.permutation(len(features))
        drawn = [rng.permutation(features[c])[: shots + QUERIES] for c in order]
        known = drawn[:WAYS]
        yield Task(
            np.concatenate([own[:shots] for own in known]),
            np.repeat(np.arange(WAYS), shots),
            np.concatenate([own[shots:] for own in known]),
            np.repeat(np.arange(WAYS), QUERIES),
            np.concatenate([own[shots:] for own in drawn[WAYS:]]),
        )


def by_centroids(task: Task) -> float:
    """The accuracy of the nearest mean of features of length 1: the yardstick."""
    x, new = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (task.x, task.query))
    means = np.stack([x[task.y == c].mean(0) for c in range(WAYS)])
    found = ((new[:, None] - means[None]) ** 2).sum(-1).argmin(1)
    return float((found == task.answers).mean())


def by_default(task: Task) -> tuple[np.ndarray, float]:
    """Probabilities of `FewShotClassifier()`, and the AUROC of its novelty."""
    classifier = qs.FewShotClassifier().fit(task.x, task.y)
    new = np.concatenate([task.query, task.others])
    is_other = np.arange(len(new)) >= len(task.query)
    return (
        classifier.predict_proba(task.query),
        float(roc_auc_score(is_other, classifier.novelty(new))),
    )


def interval(values: Any) -> str:
    """Mean and half the 95 % interval, in percent."""
    values = 100 * np.asarray(values)
    return f"{values.mean():.1f} ± {1.96 * values.std(ddof=1) / len(values) ** 0.5:.1f}"


def row(features: list[np.ndarray], shots: int) -> str:
    """What is measured with so many examples of each class."""
    found = [(*by_default(task), by_centroids(task)) for task in tasks(features, shots)]
    given, areas, plain = zip(*found, strict=True)
    answers = np.repeat(np.arange(WAYS), QUERIES)
    default = np.array([(own.argmax(1) == answers).mean() for own in given])
    error = expected_calibration_error(np.concatenate(given), np.tile(answers, TASKS))
    cells = [*map(interval, (default, plain, default - np.array(plain))), f"{100 * error:.1f}"]
    return f"| {shots} | {' | '.join([*cells, interval(areas)])} |"


def main(folder: Path) -> None:
    """Print the table."""
    files = photographs(folder)
    features = np.split(
        encoded(qs.pretrained(), list(chain(*files.values()))),
        np.cumsum([len(own) for own in files.values()])[:-1],
    )
    print(", ".join(f"{name} {len(own)}" for name, own in files.items()))
    print("\n| shots | default | nearest centroids | difference | ECE | AUROC of `novelty` |")
    print("|---|---|---|---|---|---|")
    for shots in (1, 3, 5):
        print(row(features, shots), flush=True)


if __name__ == "__main__":
    qs.set_up_devices()
    main(Path(sys.argv[1]))
