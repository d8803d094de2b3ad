"""The calibration error by hand, in parts, and under JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from quickstudy.evaluation.calibration_error import (
    BINS,
    bin_gaps,
    calibration_error,
    expected_calibration_error,
)


def test_calibration_error_by_hand():
    given = np.array([[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.35, 0.65]])
    # The bin of 0.95 is right half the time; that of 0.65 always.
    error = expected_calibration_error(given, np.array([0, 1, 0, 1]))
    assert error == pytest.approx(0.5 * 0.45 + 0.5 * 0.35)


def test_gaps_of_parts_add_up_under_jax():
    rng = np.random.default_rng(0)
    given, y = rng.dirichlet(np.full(4, 0.5), size=60), rng.integers(0, 4, 60)
    confidence, right = given.max(1), (given.argmax(1) == y).astype(float)
    parts = [
        jax.jit(bin_gaps)(jnp.asarray(confidence[part]), jnp.asarray(right[part]))
        for part in (slice(0, 13), slice(13, 60))
    ]
    wanted = expected_calibration_error(given, y)
    assert calibration_error(np.asarray(parts).sum(0), 60) == pytest.approx(wanted, rel=1e-5)
    assert wanted > 0.05


def test_certainty_is_in_the_last_bin_and_nothing_counts_for_nothing():
    gaps = bin_gaps(np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    assert gaps.tolist() == [0.0] * (BINS - 1) + [-1.0]
