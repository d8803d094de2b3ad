"""What a training of learners draws from its seed: weights and tasks, each by a key of its own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import PRNGKeyArray

# A key's i-th part by `split` is the key folded with i: these are far beyond what any network
# splits its key into.
_HEAD, _TRAINING = 2**30, 2**30 + 1


def weights_key(seed: int) -> "PRNGKeyArray":
    """For the weights of a body."""
    import jax

    return jax.random.key(seed)


def head_key(seed: int) -> "PRNGKeyArray":
    """For the weights of what stands on it.

    Example:
        >>> import jax
        >>> parts = jax.random.key_data(jax.random.split(weights_key(0), 64)).tolist()
        >>> jax.random.key_data(head_key(0)).tolist() in parts
        False
    """
    import jax

    return jax.random.fold_in(weights_key(seed), _HEAD)


def training_key(seed: int) -> "PRNGKeyArray":
    """For every task that is sampled."""
    import jax

    return jax.random.fold_in(weights_key(seed), _TRAINING)
