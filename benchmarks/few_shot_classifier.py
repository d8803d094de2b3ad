"""How good the default few-shot classifier is on features of real images, and what it costs.

    python benchmarks/few_shot_classifier.py FEATURES.npz [--ways 5] [--episodes 100] [--json FILE]

The file holds `X`, features `[n, d]` of a frozen encoder, and `y`, class numbers `[n]`. For 1 and 5
examples of each class: the accuracy beside that of nearest class means without any preparation, on
the same tasks; the probabilities' likelihood and calibration error on new images; and on held-out
classes the AUROC of novelty, and the share of known images that `unknown=True` rejects. For one
example of each class also the likelihood at other temperatures than the built-in one.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from quickstudy import FewShotClassifier
from quickstudy.estimators.calibration import (
    negative_log_likelihood,
    probabilities,
)
from quickstudy.evaluation.calibration_error import expected_calibration_error
from side_by_side import machine

QUERIES = 3
SHARPNESSES = (2.0, 4.0, 5.0, 6.0, 8.0, 12.0)


def tasks(y: np.ndarray, ways: int, shots: int, n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of support and query sets of `n` tasks."""
    rng = np.random.default_rng(0)
    able = [k for k in np.unique(y) if np.sum(y == k) > shots]
    for _ in range(n):
        drawn = [rng.permutation(np.flatnonzero(y == k)) for k in rng.choice(able, ways, False)]
        yield (
            np.concatenate([own[:shots] for own in drawn]),
            np.concatenate([own[shots : shots + QUERIES] for own in drawn]),
        )


def class_means(x: np.ndarray, y: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The labels of the nearest class means."""
    classes = np.unique(y)
    means = np.stack([x[y == k].mean(0) for k in classes])
    return classes[np.square(queries[:, None] - means).sum(-1).argmin(1)]


def measure(x: np.ndarray, y: np.ndarray, ways: int, shots: int, n: int) -> dict[str, Any]:
    """Means over tasks, and 95 % intervals of the two accuracies and their difference."""
    found, given, right, likelihoods = defaultdict(list), [], [], defaultdict(list)
    for support, query in tasks(y, ways, shots, n):
        began = time.process_time()
        classifier = FewShotClassifier(unknown=shots > 1).fit(x[support], y[support])
        found["fit, ms of processor"].append(1e3 * (time.process_time() - began))
        p = classifier.predict_proba(x[query])
        numbers = np.searchsorted(classifier.classes_, y[query])
        means = class_means(x[support], y[support], x[query])
        found["accuracy"].append(np.mean(p.argmax(1) == numbers))
        found["class means"].append(np.mean(means == y[query]))
        found["difference"].append(found["accuracy"][-1] - found["class means"][-1])
        given.append(p)
        right.append(numbers)
        if shots > 1:
            _unknown(found, classifier, x[query], x[~np.isin(y, classifier.classes_)])
        else:
            scores = classifier.scores_(x[query])
            for beta in SHARPNESSES:
                p = probabilities(scores, 1 / beta)
                likelihoods[beta].append(negative_log_likelihood(p, numbers))
    out: dict[str, Any] = {name: float(np.mean(values)) for name, values in found.items()}
    for name in ("accuracy", "class means", "difference"):
        out[f"{name} ±"] = float(1.96 * np.std(found[name], ddof=1) / np.sqrt(n))
    out["nll"] = negative_log_likelihood(np.concatenate(given), np.concatenate(right))
    out["ece"] = expected_calibration_error(np.concatenate(given), np.concatenate(right))
    return out | {f"nll at 1/T = {b:g}": float(np.mean(v)) for b, v in likelihoods.items()}


def _unknown(found: Any, classifier: Any, known: np.ndarray, unknown: np.ndarray) -> None:
    novelty = [classifier.novelty(one) for one in (known, unknown)]
    truth = np.repeat([0, 1], [len(one) for one in novelty])
    found["AUROC of held-out classes"].append(roc_auc_score(truth, np.concatenate(novelty)))
    found["known rejected"].append(np.mean(novelty[0] > classifier.threshold_))
    found["unknown rejected"].append(np.mean(novelty[1] > classifier.threshold_))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("features")
    parser.add_argument("--ways", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--json")
    options = parser.parse_args()
    with np.load(options.features, allow_pickle=False) as stored:
        x, y = stored["X"], stored["y"]
    rows = []
    for shots in (1, 5):
        figures = measure(x, y, options.ways, shots, options.episodes)
        rows.append({"shots": shots, **figures})
        print(f"{options.ways}-way {shots}-shot, {options.episodes} tasks")
        for name, value in figures.items():
            print(f"  {name:32} {value:8.3f}")
    found = {"machine": machine(), "ways": options.ways, "episodes": options.episodes, "rows": rows}
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
