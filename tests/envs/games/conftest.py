"""What tests of games share."""

import jax
import pytest

from references.dealt_games import GAMES, KEYS


@pytest.fixture(scope="module")
def sampled():
    """500 games."""
    return jax.jit(jax.vmap(GAMES.sample))(KEYS)
