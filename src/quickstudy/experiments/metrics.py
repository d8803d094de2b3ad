"""How a metric is written, and which axis it has."""

import math
from collections.abc import Iterable

from quickstudy.evaluation.estimates import Estimate
from quickstudy.experiments.sections import Axis

ERRORS = frozenset({"squared_error"})
"""The metrics of which less is better."""
WIDE = 30
"""From this ratio of the largest to the smallest on, errors have a logarithmic axis."""


def written(estimate: Estimate, metric: str) -> str:
    """An estimate as a person writes it.

    Example:
        >>> written(Estimate(0.98765, 0.00123), "accuracy")
        '98.77 ± 0.12 %'
        >>> written(Estimate(2.5012, 0.9961), "return"), written(Estimate(216.61, 59.3), "return")
        ('2.5 ± 1.0', '217 ± 59')
    """
    if metric == "accuracy":
        return f"{100 * estimate.mean:.2f} ± {100 * estimate.interval:.2f} %"
    return _rounded(estimate)


def written_difference(difference: Estimate, metric: str) -> str:
    """A difference of two estimates with its sign; of accuracies, in percentage points.

    Example:
        >>> written_difference(Estimate(-0.0123, 0.0045), "accuracy")
        '-1.23 ± 0.45 points'
    """
    if metric == "accuracy":
        return f"{100 * difference.mean:+.2f} ± {100 * difference.interval:.2f} points"
    return _rounded(difference, "+")


def _rounded(estimate: Estimate, sign: str = "") -> str:
    """To the second digit of the interval."""
    mean = estimate.mean
    # What is known exactly has an interval of rounding errors.
    interval = 0.0 if estimate.interval < 1e-12 * abs(mean) else estimate.interval
    if not 1e-6 <= interval < math.inf:
        return f"{mean:{sign}.4g} ± {interval:.2g}"
    places = max(1 - math.floor(math.log10(float(f"{interval:.1e}"))), 0)
    return f"{mean:{sign}.{places}f} ± {interval:.{places}f}"


def spoken(name: str) -> str:
    """A name of the code as words.

    Example:
        >>> spoken("squared_error")
        'squared error'
    """
    return name.replace("_", " ")


def scale(metric: str) -> int:
    """What a chart multiplies a metric by: accuracies are shown in percent."""
    return 100 if metric == "accuracy" else 1


def metric_axis(metric: str, values: Iterable[float]) -> Axis:
    """Accuracies from 0 to 100 %; a logarithmic axis for errors that differ widely.

    Example:
        >>> metric_axis("squared_error", [0.1, 20.0]).log
        True
    """
    if metric == "accuracy":
        return Axis("accuracy, %", (0, 100))
    finite = [v for v in values if math.isfinite(v)]
    wide = bool(finite) and min(finite) > 0 and max(finite) / min(finite) > WIDE
    return Axis(spoken(metric), log=wide)
