"""Ordinary classification of all classes: what transfer learners are pre-trained on."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import demand_counts
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.task import Examples, Task
from quickstudy.tasks.transforms import quarter_turns


class AllClasses(eqx.Module):
    """Random items of random classes, labelled by their number among *all* classes.

    Support and query set are the same examples: a learner that pre-trains looks only at one.

    Attributes:
        episodes: gives the images, their rotations and their transform.
        batch: how many items.

    Raises:
        BadInput: the batch is empty.

    Example:
        >>> import numpy as np
        >>> episodes = Episodes(np.zeros((10, 6, 28, 28), np.uint8), ways=5, shots=1, queries=1)
        >>> tasks = AllClasses(episodes, batch=64)
        >>> tasks.sample(jax.random.key(0)).query.x.shape, tasks.classes
        ((64, 28, 28, 1), 10)
    """

    episodes: Episodes
    batch: int = eqx.field(static=True, default=64)

    def __check_init__(self):
        demand_counts(batch=self.batch)

    @property
    def classes(self) -> int:
        """How many classes there are, rotations counted."""
        return self.episodes.classes

    @compiled_once
    def sample(self, key: PRNGKeyArray) -> Task:
        """Draw one batch. The key is consumed."""
        class_key, item_key, change_key = jax.random.split(key, 3)
        own = self.episodes
        label = jax.random.randint(class_key, (self.batch,), 0, own.classes)
        rows = label // own.turns
        count = own.images.shape[1] if own.counts is None else own.counts[rows]
        items = jax.random.randint(item_key, (self.batch,), 0, count)
        x = own.inputs(own.images[rows, items])
        if own.turns > 1:
            x = quarter_turns(x, label % own.turns)
        if own.transform is not None:
            # Every item is its own class here: each gets a change of its own.
            x = own.transform(x, jnp.arange(self.batch), key=change_key)
        examples = Examples(x, label, own.classes)
        return Task(examples, examples)
