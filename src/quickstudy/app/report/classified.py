"""The page of `quickstudy classify`: examples, answers from the least sure, and what would help."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quickstudy.app.answers import Answers
from quickstudy.app.report.page import page
from quickstudy.experiments.sections import (
    Block,
    ConfusionMatrix,
    Folded,
    Gallery,
    Grid,
    Headline,
    Note,
    Photograph,
    Section,
    Shot,
)
from quickstudy.features.preparation import Preparation

SIZE = (112, 112)
"""Of the pictures on the page, in pixels."""
MOST_EXAMPLES = 12
"""Of a class."""
MOST_IMAGES = 300
"""The most answers that are shown, the least sure."""
MOST_HELPFUL = 4

ClassFiles = Mapping[str, Sequence[Path]]


def classified_page(title: str, answers: Answers, examples: ClassFiles) -> str:
    """The page as text.

    Args:
        title: what was classified.
        answers: about it.
        examples: the files of each class that the classifier was fitted on.
    """
    order = np.argsort(answers.seen.sureness, kind="stable")
    shown = order[:MOST_IMAGES]
    left = len(order) - len(shown)
    more = [Note(f"{left} more, of which the classifier is surer, are not shown.")] if left else []
    sections = [
        Section(title, _head(answers, examples)),
        Section("The examples of each class", _classes(examples)),
        Section(
            "The images, the least sure first",
            [Gallery([_answered(answers, int(i)) for i in shown]), *more],
        ),
        Section("Which classes are confused", _confusions(answers, examples)),
        Section("Which example would help most", _helpful(answers)),
        Section("How this was made", [Folded("settings", Grid(answers.settings()))]),
    ]
    return page(f"{title}: classified", sections)


def helpfulness(answers: Answers) -> np.ndarray:
    """How much the label of each image would tell about the others, `[n]`.

        h_i = u_i Σ_j u_j max(0, cos(x_i, x_j)),  u_j = 1 − max_k p_jk

    x are the features, centred, and p_jk what is shown for class k. It is uncertainty weighted by
    density (Settles & Craven, 2008, https://aclanthology.org/D08-1112/): an image that is unsure
    and has many unsure ones like it is worth a label.
    """
    x = answers.seen.inputs.reshape(len(answers.files), -1).astype(float)
    x = x - x.mean(0)
    # An image that is like the mean of all has no direction.
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    unsure = 1 - answers.seen.sureness
    return unsure * (np.maximum(x @ x.T, 0) @ unsure)


def _head(answers: Answers, examples: ClassFiles) -> Sequence[Block]:
    card = answers.card()
    count = sum(len(own) for own in examples.values())
    of = f"{len(answers.files)} images in {len(examples)} classes, from {count} examples"
    if card is None:
        how = "No labels are known: sub-folders named like the classes would tell the accuracy."
        return [Headline(of, how), *(Note(line) for line in answers.summary())]
    low, high = (100 * end for end in card.accuracy.interval)
    said = f"accuracy, 95 % interval {low:.1f} to {high:.1f} %: {of}"
    found: list[Block] = [Headline(f"{100 * card.accuracy.share:.1f} %", said)]
    if card.pixels is not None:
        found.append(Note(f"For comparison, nearest centroids on pixels: {card.pixels}"))
    return found


def _classes(examples: ClassFiles) -> Sequence[Block]:
    found = []
    for name, files in examples.items():
        more = f", {MOST_EXAMPLES} of them shown" if len(files) > MOST_EXAMPLES else ""
        title = f"{name} ({len(files)}{more})"
        found.append(Gallery([_shot(f, f.name) for f in files[:MOST_EXAMPLES]], title))
    return found


def _answered(answers: Answers, i: int) -> Shot:
    answer, right = answers.seen.answers[i], answers.expected[i]
    sure = answers.sure()[i]
    said = f"{answer} {sure}".strip().replace(" %", "\u00a0%")
    if right is None:
        return _shot(answers.files[i], said)
    wrong = bool(right != answer)
    return _shot(answers.files[i], f"{said}, is {right}" if wrong else said,
                 "wrong" if wrong else "right")  # fmt: skip


def _confusions(answers: Answers, examples: ClassFiles) -> Sequence[Block]:
    card = answers.card()
    if card is None:
        return []
    known = answers.known
    right = [str(label) for label, k in zip(answers.expected, known, strict=True) if k]
    given = [str(answer) for answer in answers.seen.answers[known].tolist()]
    names = sorted({*examples, *right, *given})
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), int)
    # Not `counts[...] += 1`, which counts a pair once, however often it is there.
    np.add.at(counts, ([place[name] for name in right], [place[name] for name in given]), 1)
    pictures = [_photograph(examples[n][0], n) if n in examples else None for n in names]
    pairs = Grid([(f"{c.label} taken for {c.answer}", f"{c.count} of {c.of}")
                  for c in card.confused])  # fmt: skip
    return [ConfusionMatrix(names, pictures, counts.tolist()), *([pairs] if card.confused else [])]


def _helpful(answers: Answers) -> Sequence[Block]:
    helps = helpfulness(answers)
    best = np.argsort(-helps, kind="stable")[:MOST_HELPFUL]
    return [
        Note(
            "The classifier is least sure of these and of images like them. Move one that shows "
            "its class well into that class's folder, and classify again."
        ),
        Gallery([_shot(answers.files[i], _placed(answers.files[i])) for i in best]),
    ]


def _placed(file: Path) -> str:
    """A file with its folder, as files of several folders may have one name."""
    return "/".join(file.parts[-2:])


def _shot(file: Path, caption: str, mark: Any = "") -> Shot:
    return Shot(_photograph(file, str(file)), caption, mark)


def _photograph(file: Path, alt: str) -> Photograph:
    return Photograph(Preparation(SIZE)(file) / 255, alt)
