"""Metrics as a person writes them."""

import math

from quickstudy.evaluation.estimates import Estimate
from quickstudy.experiments.metrics import metric_axis, written, written_difference


def test_errors_are_not_written_as_shares():
    assert written(Estimate(0.3512, 0.021), "squared_error") == "0.351 ± 0.021"


def test_figures_end_where_their_interval_does():
    for mean, interval, said in (
        (2.5012, 0.9961, "2.5 ± 1.0"),
        (216.61, 59.3, "217 ± 59"),
        (1956.2, 137.4, "1956 ± 137"),
        (1234.5678, 0.0012, "1234.5678 ± 0.0012"),
        (3e-8, 1e-8, "3e-08 ± 1e-08"),
        (1.23456, math.nan, "1.235 ± nan"),
        (1.23456, math.inf, "1.235 ± inf"),
    ):
        assert written(Estimate(mean, interval), "return") == said
    assert written_difference(Estimate(0.5, 0.049), "return") == "+0.500 ± 0.049"


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
