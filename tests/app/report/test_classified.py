"""The page of `quickstudy classify`: in order, escaped, and free of scripts."""

import re
from pathlib import Path

import numpy as np
import pytest

from quickstudy import FewShotClassifier
from quickstudy.app.answers import Answers
from quickstudy.app.report.classified import classified_page, helpfulness
from references.photographs import write_colours
from references.reading_html import demand_self_contained
from references.stand_in_encoder import BLUE, RED, Patches

NASTY = "<b>&[x]"


@pytest.fixture
def answers(tmp_path):
    colours = {NASTY: RED, "blue": BLUE}
    write_colours(tmp_path / "classes", {NASTY: 3, "blue": 3}, colours=colours)
    write_colours(tmp_path / "new", {NASTY: 2, "blue": 2}, seed=1, colours=colours)
    classifier = FewShotClassifier(Patches()).fit(tmp_path / "classes")
    files = sorted((tmp_path / "new").rglob("*.png"))
    labels = [file.parent.name for file in files]
    labels[0] = "blue" if labels[0] == NASTY else NASTY
    examples = {n: sorted((tmp_path / "classes" / n).iterdir()) for n in colours}
    return Answers(classifier, files, classifier.examine(files), labels), examples


def test_the_whole_page(answers):
    text = classified_page(NASTY, *answers)
    demand_self_contained(text)
    assert NASTY not in text
    assert text.count('<figure class="wrong">') == 1
    assert text.count('<figure class="right">') == 3
    assert '<table class="matrix">' in text
    assert "<details><summary>settings</summary>" in text
    assert "75.0 %" in text
    heads = re.findall("<h2>(.*?)</h2>", text)
    assert heads == [
        "The examples of each class",
        "The images, the least sure first",
        "Which classes are confused",
        "Which example would help most",
        "How this was made",
    ]


def test_the_least_sure_come_first(answers):
    given, examples = answers
    text = classified_page("page", given, examples)
    shares = [float(one) for one in re.findall("figcaption>[^<]* ([0-9.]+)\u00a0%", text)]
    assert len(shares) == 4
    assert shares == sorted(shares)


def test_without_labels_there_is_no_matrix(answers):
    given, examples = answers
    blind = Answers(given.classifier, given.files, given.seen, [None] * 4)
    text = classified_page("page", blind, examples)
    assert '<table class="matrix">' not in text
    assert 'class="wrong"' not in text
    assert "No labels are known" in text
    # Files of several folders may have one name.
    assert "&lt;b&gt;&amp;[x]/0.png" in text.partition("would help most")[2]


def test_an_unsure_image_among_unsure_ones_helps_most():
    x = np.array([[5.0, 0], [5, 0.1], [0, 5], [0.1, 5], [-3, -3], [-3, -3.1], [-3.1, -3]])
    classifier = FewShotClassifier().fit(x[:4], ["a", "a", "b", "b"])
    seen = classifier.examine(x)
    helps = helpfulness(Answers(classifier, [Path("a.png")] * 7, seen, [None] * 7))
    assert np.argmax(helps) in (4, 5, 6)


def test_helpfulness_is_the_formula():
    x = np.random.default_rng(0).normal(size=(6, 3))
    classifier = FewShotClassifier().fit(x, ["a", "b", "c"] * 2)
    seen = classifier.examine(x)
    u, v = 1 - seen.probabilities.max(1), x - x.mean(0)
    norms = [float(np.sqrt(row @ row)) for row in v]
    wanted = [
        u[i] * sum(u[j] * max(0, v[i] @ v[j] / (norms[i] * norms[j])) for j in range(6))
        for i in range(6)
    ]
    found = helpfulness(Answers(classifier, [Path("a.png")] * 6, seen, [None] * 6))
    np.testing.assert_allclose(found, wanted)
