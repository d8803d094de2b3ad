"""What a classifier says of some files: as a table, as lines and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from quickstudy.estimators.examined import Examined
from quickstudy.estimators.scorecard import Scorecard
from quickstudy.tasks.labels import one_form

if TYPE_CHECKING:
    from quickstudy.estimators.few_shot_classifier import FewShotClassifier

MOST_PAIRS = 10
"""The most confused pairs that are printed."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier says of some files.

    Attributes:
        classifier: fitted.
        files: the images.
        seen: its answers.
        labels: the right label of each file, None where it is not known.
    """

    classifier: "FewShotClassifier"
    files: Sequence[Path]
    seen: Examined
    labels: Sequence[str | None]

    @property
    def known(self) -> np.ndarray:
        """Which labels are known, `[n]`."""
        return np.array([label is not None for label in self.labels], bool)

    @property
    def expected(self) -> list[Any]:
        """The right answer of each, None where it is not known."""
        found: list[Any] = [None] * len(self.labels)
        where = np.flatnonzero(self.known)
        right = self.seen.expected(self._labels()) if len(where) else []
        for i, answer in zip(where, right, strict=True):
            found[i] = _plain(answer)
        return found

    def card(self) -> Scorecard | None:
        """The accuracy where labels are known; None without any."""
        if not self.known.any():
            return None
        return self.seen.only(self.known).against(self._labels())

    def settings(self) -> list[tuple[str, str]]:
        """What was chosen, and how good it is on the examples themselves."""
        own = self.classifier
        calibration, encoder = own.calibration_, getattr(own, "encoder_", None)
        held = {name: f"{100 * share:.1f} %" for name, share in own.leave_one_out_.items()}
        found = [
            ("encoder", "none" if encoder is None else encoder.name),
            ("head", type(own.head_).__name__),
            *((f"held-out accuracy of {name}", share) for name, share in held.items()),
            ("temperature of the calibration", f"{calibration.temperature:,.4g}"),
        ]
        if calibration.examples:
            found.append(("held-out calibration error", f"{100 * calibration.ece:.1f} %"))
        if own.threshold_ is not None:
            found.append(("threshold of none of these", f"{own.threshold_:.3g}"))
        return found

    def __rich__(self) -> Group:
        """For a terminal."""
        table = Table()
        known = self.known.any()
        for column in ("image", "class", self.seen.shown_as, *(["label"] if known else [])):
            table.add_column(column, overflow="fold")  # a name that is cut off names nothing
        rows = zip(self.files, self.seen.answers, self.sure(), self.expected, strict=True)
        for file, answer, sure, right in rows:
            # As `Text`, for rich would take [brackets] in a name for its markup.
            cells = [Text(str(file)), Text(str(answer)), Text(sure)]
            if known:
                wrong = right is not None and right != answer
                cells.append(Text("" if right is None else f"{'✗' if wrong else '✓'} {right}"))
            table.add_row(*cells)
        return Group(table, *(Text(line) for line in self.summary()))

    def sure(self) -> list[str]:
        """How sure each answer is, as it is shown: of the class, or nothing for `unknown`."""
        names, found = self.seen.classes.tolist(), []
        for answer, row in zip(self.seen.answers.tolist(), self.seen.shown, strict=True):
            share = row[names.index(answer)] if answer in names else None
            found.append("" if share is None else self.written(share))
        return found

    def written(self, share: float) -> str:
        """A probability in per cent; a score as it is."""
        return f"{100 * share:.1f} %" if self.seen.shown_as == "probability" else f"{share:.2f}"

    def summary(self) -> list[str]:
        """The accuracy and the confused pairs, or how good it was on the examples."""
        card = self.card()
        if card is None:
            return self._held_out()
        lines = str(card).splitlines()
        shown = lines[: 2 + MOST_PAIRS]
        more = len(lines) - len(shown)
        unknown = int((~self.known).sum())
        return [
            *shown,
            *([f"and {more} more pairs"] if more else []),
            *([f"{unknown} images have no known label and do not count"] if unknown else []),
        ]

    def _held_out(self) -> list[str]:
        """The accuracy on examples that were left out, of the chosen head and of the pixels."""
        shares, own = self.classifier.leave_one_out_, self.classifier.head_
        name = type(own).__name__.removesuffix("Head").lower()
        shown = [shares.get(name, shares.get("learner")), shares.get("pixels")]
        told = ["of the examples, left out in turn, {} are right", "nearest centroids on pixels {}"]
        found = [
            text.format(f"{100 * share:.1f} %")
            for text, share in zip(told, shown, strict=True)
            if share is not None and np.isfinite(share)
        ]
        return ["; ".join(found)] if found else []

    def to_json(self) -> dict[str, Any]:
        """For a file."""
        card, many = self.card(), {"probability": "probabilities", "score": "scores"}
        names = [_plain(name) for name in self.seen.classes]
        one, all_of_them = self.seen.shown_as, many[self.seen.shown_as]
        answers = []
        rows = zip(self.files, self.seen.answers, self.seen.shown, self.expected, strict=True)
        for file, answer, row, right in rows:
            shares = {str(n): round(float(p), 4) for n, p in zip(names, row, strict=True)}
            answer = _plain(answer)
            said = {"image": str(file), "class": answer, one: shares.get(str(answer))}
            known = {} if right is None else {"label": right, "right": bool(right == answer)}
            answers.append({**said, all_of_them: shares, **known})
        return {
            "classes": names,
            "settings": dict(self.settings()),
            "leave_one_out": dict(self.classifier.leave_one_out_),
            "calibration": self.classifier.calibration_.to_json(),
            "score": None if card is None else card.to_json(),
            "answers": answers,
        }

    def _labels(self) -> np.ndarray:
        return np.array([label for label in self.labels if label is not None])


def folder_labels(
    folder: Path, files: Sequence[Path], classes: Sequence[str], *, others: bool = False
) -> list[str | None]:
    """The labels that sub-folders tell, if one of them at least is named like a class.

    Args:
        folder: what was given.
        files: the images in it.
        classes: the names.
        others: whether other sub-folders are labels, too: of what is none of the classes.

    Example:
        >>> folder_labels(Path("new"), [Path("new/cat/1.png"), Path("new/2.png")], ["cat", "dog"])
        ['cat', None]
    """
    inside = [file.relative_to(folder).parts if file != folder else (file,) for file in files]
    names = [one_form(parts[0]) if len(parts) > 1 else None for parts in inside]
    # These sub-folders sort images by something else, as by days.
    if not set(names) & set(classes):
        return [None] * len(files)
    return [name if others or name in classes else None for name in names]


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
