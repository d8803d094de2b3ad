"""Intervals by hand, and two methods on the same tasks."""

import dataclasses
import json
import math

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.evaluation.estimates import Estimate, PairedDifference, short
from quickstudy.writing import write_json


def test_interval_by_hand():
    """0, 0, 3, 5: mean 2, s² = (4 + 4 + 1 + 9) / 3 = 6, interval 1.96 √(6 / 4)."""
    estimate = qs.Estimate.of(np.array([0.0, 0.0, 3.0, 5.0]))
    assert estimate.mean == 2
    assert estimate.interval == pytest.approx(1.96 * math.sqrt(1.5), rel=1e-12)
    assert qs.Estimate.of(np.full(9, 0.5)) == qs.Estimate(0.5, 0.0)


def test_one_task_has_no_interval():
    assert qs.Estimate.of(np.array([0.5])).interval == math.inf


def test_a_task_that_diverged_has_no_interval_and_json_says_null(tmp_path):
    found = Estimate.of(np.array([1.0, np.inf]))
    assert found.mean == np.inf
    assert np.isnan(found.interval)
    file = tmp_path / "estimate.json"
    write_json(file, {"path": (dataclasses.asdict(found),)})
    (read,) = json.loads(file.read_text(), parse_constant=pytest.fail)["path"]
    assert read == {"mean": None, "interval": None}
    assert np.isnan(Estimate.from_json(read).mean)


def test_differences_by_hand():
    """1, 0, 3, −2: mean 0.5, s² = (0.25 + 0.25 + 6.25 + 6.25) / 3, two scores higher."""
    found = PairedDifference.of([2.0, 5.0, 4.0, 0.0], [1.0, 5.0, 1.0, 2.0])
    assert found.difference.mean == 0.5
    assert found.difference.interval == pytest.approx(1.96 * math.sqrt(13 / 3 / 4), rel=1e-12)
    assert (found.higher, found.equal, found.lower) == (2, 1, 1)


def test_what_is_hard_for_both_cancels():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=500)
    x, y = hard + 0.1 * rng.normal(size=500), hard + 0.1 * rng.normal(size=500) - 0.05
    alone = Estimate.of(x).interval
    found = PairedDifference.of(tuple(x), tuple(y)).difference
    assert found.interval < alone / 4
    assert abs(found.mean - 0.05) < 2 * found.interval < 0.05


def test_scores_that_differ_by_rounding_are_equal():
    found = PairedDifference.of([0.48, 0.48, 0.0], [0.48000002, 0.52, 0.0])
    assert (found.higher, found.equal, found.lower) == (0, 2, 1)


def test_tasks_that_diverged_are_neither_better_nor_worse():
    found = PairedDifference.of([math.nan, 1.0], [1.0, 0.5])
    assert (found.higher, found.equal, found.lower) == (1, 0, 0)
    assert math.isnan(found.difference.mean)
    assert math.isnan(PairedDifference.of([math.inf, 1.0], [math.inf, 1.0]).difference.mean)


def test_scores_of_other_tasks():
    with pytest.raises(ValueError, match="2 and 1 scores"):
        PairedDifference.of([1.0, 2.0], [1.0])


def test_short_scores_are_the_same_float32():
    scores = np.random.default_rng(0).random(1000, np.float32)
    assert np.array_equal(np.array(short(scores), np.float32), scores)
    assert max(len(str(one)) for one in short(scores)) < 14


def test_no_scores_have_no_mean():
    for make in (lambda: Estimate.of(np.zeros(0)), lambda: PairedDifference.of([], [])):
        with pytest.raises(qs.BadInput, match="there are no scores; give those of one task"):
            make()


def test_large_scores_have_an_interval():
    """In single precision their squares are infinite."""
    scores = np.array([1e25, 3e25], np.float32)
    assert Estimate.of(scores).interval == pytest.approx(1.96e25, rel=1e-6)
