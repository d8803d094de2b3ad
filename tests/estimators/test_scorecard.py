import json

import numpy as np
import pytest

from quickstudy.estimators.scorecard import Proportion, Scorecard, confused_pairs


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Newcombe (1998, Statistics in Medicine 17, 857), table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval(count, of, low, high):
    assert Proportion(count, of).interval == pytest.approx((low, high), abs=5e-5)


def test_all_and_none():
    assert Proportion(20, 20).interval[1] == 1
    assert Proportion(0, 0).interval == (0, 1)


def test_confused_pairs_are_sorted():
    y = np.array(["a", "a", "a", "b", "b", "c"])
    answers = np.array(["b", "b", "a", "a", "b", "a"])
    found = [(c.label, c.answer, c.count, c.of) for c in confused_pairs(y, answers)]
    assert found == [("a", "b", 2, 3), ("b", "a", 1, 2), ("c", "a", 1, 1)]


def test_json():
    y, answers, classes = np.array([0, 1]), np.array([0, 0]), np.array([0, 1])
    given = np.array([[0.9, 0.1], [0.6, 0.4]])
    card = Scorecard.of(y, answers, given=given, classes=classes, pixels=np.array([1, 1]))
    assert card.nll == pytest.approx(-np.log([0.9, 0.4]).mean())
    # An unknown class has no probability: only the first example counts.
    assert Scorecard.of(y, answers, given=given, classes=classes - 1).nll == -np.log(0.1)
    value = json.loads(json.dumps(card.to_json()))
    assert value["accuracy"]["share"] == 0.5
    assert value["pixels"]["count"] == 1
    assert value["confused"] == [{"label": 1, "answer": 0, "count": 1, "of": 1}]
    assert "pixels 50.0 %" in str(card)
