"""What a classifier says of files: in a table, in lines, and in JSON."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from quickstudy import FewShotClassifier
from quickstudy.app.answers import MOST_PAIRS, Answers, folder_labels

X = np.eye(2).repeat(4, 0) + np.random.default_rng(0).normal(size=(8, 2)) / 50
FILES = [Path("new/1.png"), Path("new/2[x].png"), Path("new/3.png")]


def answers(labels, **settings):
    """Of three images: a cat, a dog, a dog."""
    classifier = FewShotClassifier(head="ridge", **settings).fit(X, ["cat"] * 4 + ["dog"] * 4)
    return Answers(classifier, FILES, classifier.examine(X[[0, 4, 5]]), labels)


def shown(found):
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(found)
    return console.export_text()


def test_with_labels_each_is_marked_and_the_accuracy_is_told():
    found = answers(["cat", "cat", None])
    assert found.known.tolist() == [True, True, False]
    assert found.expected == ["cat", "cat", None]
    text = shown(found)
    assert "✓ cat" in text
    assert "✗ cat" in text
    assert "2[x].png" in text, "brackets in a name are no markup"
    assert "1 of 2" in text
    assert "1 images have no known label and do not count" in text


def test_without_labels_the_examples_themselves_are_told_of():
    found = answers([None] * 3)
    assert found.card() is None
    (line,) = found.summary()
    assert line == "of the examples, left out in turn, 100.0 % are right"
    assert "label" not in shown(found)


def test_how_sure_it_is():
    found = answers([None] * 3)
    shares = [float(one.removesuffix(" %")) for one in found.sure()]
    np.testing.assert_allclose(shares, 100 * found.seen.shown.max(1), atol=0.06)
    unsure = answers([None] * 3, unknown=True)
    unsure.seen.answers[1] = "unknown"
    assert unsure.sure()[1] == "", "nothing is known of what is unknown"


def test_only_the_most_confused_pairs_are_printed():
    """Each class of thirteen is taken for the next."""
    names = [f"c{i:02}" for i in range(13)]
    classifier = FewShotClassifier(head="ridge").fit(np.eye(13).repeat(2, 0), np.repeat(names, 2))
    seen = classifier.examine(np.eye(13))
    seen = dataclasses.replace(seen, pixels=seen.answers)
    found = Answers(classifier, [Path("a.png")] * 13, seen, [*names[1:], names[0]])
    lines = found.summary()
    assert sum("taken for" in line for line in lines) == MOST_PAIRS
    assert lines[-1] == f"and {13 - MOST_PAIRS} more pairs"


def test_json_has_every_answer_and_what_was_chosen():
    found = json.loads(json.dumps(answers(["cat", "cat", None]).to_json()))
    assert found["classes"] == ["cat", "dog"]
    first, second, third = found["answers"]
    assert (first["class"], first["label"], first["right"]) == ("cat", "cat", True)
    assert (second["class"], second["right"]) == ("dog", False)
    assert "label" not in third
    assert third["probability"] == max(third["probabilities"].values())
    assert found["settings"]["head"] == "RidgeHead"
    assert found["settings"]["encoder"] == "none"
    assert found["score"]["accuracy"]["count"] == 1


@pytest.mark.parametrize(
    ("others", "wanted"), [(False, ["cat", None, None, None]), (True, ["cat", None, "bird", None])]
)
def test_sub_folders_tell_labels_if_one_is_named_like_a_class(others, wanted):
    folder = Path("new")
    names = ("cat/1.png", "2.png", "bird/3.png", "4.png")
    files = [folder / name for name in names]
    assert folder_labels(folder, files, ["cat", "dog"], others=others) == wanted
    assert folder_labels(folder, files, ["fish"], others=others) == [None] * 4
    assert folder_labels(files[0], files[:1], ["cat"]) == [None], "a file given by itself"
