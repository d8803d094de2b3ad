"""Keys that nothing shares: of weights, of heads and of what training draws."""

import jax

from quickstudy.experiments.keys import head_key, training_key, weights_key


def test_no_two_keys_are_equal():
    keys = [make(seed) for make in (weights_key, head_key, training_key) for seed in range(3)]
    assert len({tuple(jax.random.key_data(key).tolist()) for key in keys}) == 9
