"""Metrics as a person writes them."""

import math

from quickstudy.evaluation.estimates import Estimate
from quickstudy.experiments.metrics import metric_axis, written


def test_errors_are_not_written_as_shares():
    assert written(Estimate(0.3512, 0.021), "squared_error") == "0.3512 ± 0.021"


def test_what_is_known_exactly_has_no_interval_of_rounding_errors():
    assert written(Estimate(2.5, 1e-16), "return") == "2.5 ± 0"


def test_an_axis_is_logarithmic_where_errors_differ_widely():
    for values, log in (
        ([1.0, 31.0], True),
        ([1.0, 29.0], False),
        ([0.0, 31.0], False),
        ([1.0, math.inf], False),
        ([], False),
    ):
        assert metric_axis("squared_error", values).log == log, values
    assert metric_axis("accuracy", [0.1, 90.0]).limits == (0, 100)
