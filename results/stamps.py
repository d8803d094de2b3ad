"""Measure the default classifier on photographs: the stamps of Tux Paint, eleven categories.

    apt-get install tuxpaint-stamps-default
    python results/stamps.py /usr/share/tuxpaint/stamps

The categories are all folders with at least ten photographs; folders of drawings are left out.
Tasks are 5-way, with 1, 3 and 5 examples of each class and 5 questions of each; the methods meet
the same tasks, and differences are paired. Prints rows for results/README.md.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

import quickstudy as qs
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
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def photographs(folder: Path) -> dict[str, list[Path]]:
    """The files of each category, without mirror images."""
    found = {name: sorted((folder / name).glob("*.png")) for name in CATEGORIES}
    return {
        name: [file for file in files if not file.stem.endswith(MIRRORED)]
        for name, files in found.items()
    }


def tasks(features: list[np.ndarray], shots: int) -> Iterator[Arrays]:
    """Support and query features with their labels."""
    rng = np.random.default_rng(shots)
    for _ in range(TASKS):
        chosen = rng.choice(len(features), WAYS, replace=False)
        drawn = [rng.permutation(features[c])[: shots + QUERIES] for c in chosen]
        support = np.concatenate([own[:shots] for own in drawn])
        query = np.concatenate([own[shots:] for own in drawn])
        labels = [np.repeat(np.arange(WAYS), n) for n in (shots, QUERIES)]
        yield support, labels[0], query, labels[1]


def by_default(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """What `FewShotClassifier()` answers."""
    return qs.FewShotClassifier().fit(x, y).predict(new)


def by_centroids(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The nearest mean of features of length 1: the yardstick."""
    x, new = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (x, new))
    means = np.stack([x[y == c].mean(0) for c in range(WAYS)])
    return ((new[:, None] - means[None]) ** 2).sum(-1).argmin(1)


def interval(values: np.ndarray) -> str:
    """Mean and half the 95 % interval, in percent."""
    return f"{100 * values.mean():.1f} ± {196 * values.std(ddof=1) / len(values) ** 0.5:.1f}"


def scores(method: Callable[..., np.ndarray], features: list[np.ndarray], shots: int) -> np.ndarray:
    """The accuracy in each task."""
    return np.array([(method(x, y, q) == a).mean() for x, y, q, a in tasks(features, shots)])


def main(folder: Path) -> None:
    """Print the table."""
    files = photographs(folder)
    features = np.split(
        encoded(qs.pretrained(), list(chain(*files.values()))),
        np.cumsum([len(own) for own in files.values()])[:-1],
    )
    print(", ".join(f"{name} {len(own)}" for name, own in files.items()))
    print("| shots | default | nearest centroids | difference |\n|---|---|---|---|")
    for shots in (1, 3, 5):
        found = [scores(method, features, shots) for method in (by_default, by_centroids)]
        cells = [*map(interval, found), interval(found[0] - found[1])]
        print(f"| {shots} | {' | '.join(cells)} |")


if __name__ == "__main__":
    qs.set_up_devices()
    main(Path(sys.argv[1]))
