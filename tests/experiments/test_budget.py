"""How long: what cannot be, and an optimiser whose rate ends at zero."""

import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget


def updates(optimiser, gradient, count):
    state, found = optimiser.init(jnp.zeros(2)), []
    for _ in range(count):
        update, state = optimiser.update(jnp.asarray(gradient), state, jnp.zeros(2))
        found.append(np.asarray(update))
    return np.stack(found)


@pytest.mark.parametrize("each", [1, 3])
def test_the_rate_falls_to_zero_with_the_last_update_of_all(each):
    """On a cosine: β at first, β/2 halfway, 0 behind the last. Adam's steps are the rate."""
    budget = Budget(steps=4, learning_rate=0.5)
    found = -updates(budget.adam(each=each), [1.0, 1.0], 4 * each + 1)[:, 0]
    np.testing.assert_allclose(found[[0, 2 * each]], [0.5, 0.25], rtol=1e-3)
    assert found[-1] == 0
    assert (np.diff(found) < 0).all()


def test_a_long_gradient_is_shortened():
    """To the norm of `clip`: of (30, 40) and its tenth Adam sees the same."""
    long, short = (
        updates(Budget(clip=5.0).adam(), gradient, 1) for gradient in ([30.0, 40.0], [3.0, 4.0])
    )
    np.testing.assert_allclose(long, short, rtol=1e-5)
    small, smaller = (updates(Budget(clip=5.0).adam(), [g, 1e-6], 1)[0] for g in (3.0, 1e-6))
    assert abs(small[1]) == pytest.approx(abs(smaller[1]), rel=1e-3), "what is short stays"


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"clip": 0.0}, "clip is 0.0"), ({"steps": -1}, "steps is -1"), ({"seed": -1}, "seed is -1")],
)
def test_what_cannot_be(settings, said):
    with pytest.raises(qs.BadInput, match=said):
        Budget(**settings)
