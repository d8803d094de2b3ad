"""How long to train: what cannot be planned."""

import pytest

import quickstudy as qs


@pytest.mark.parametrize("name", ["steps", "meta_batch", "validate_every", "validation_episodes"])
def test_plans_that_cannot_be(name):
    with pytest.raises(qs.BadInput, match=f"{name} is 0"):
        qs.MetaPlan(**{name: 0})
