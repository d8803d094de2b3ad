"""Episodes of different sizes in one shape: any ways, any shots, unbalanced classes."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.task import Examples, Task


class Varying(eqx.Module):
    """Episodes whose numbers of classes and of support examples are drawn, padded to one shape.

    Each task draws N uniformly from `ways[0] ... episodes.ways` and, for every class by itself, K
    uniformly from `shots[0] ... episodes.shots`; what is beyond is marked as padding
    (`Examples.real`, `Examples.present`), so all tasks share one compiled program. Learners that
    take padded tasks treat them as if the padding were not there.

    Attributes:
        episodes: of the largest size.
        ways: the fewest classes of a task.
        shots: the fewest support examples of a class.

    Raises:
        BadInput: the fewest are more than the most, or less than 2 ways or 1 shot.

    Example:
        >>> import numpy as np
        >>> largest = Episodes(np.zeros((10, 6, 28, 28), np.uint8), ways=5, shots=3, queries=2)
        >>> task = Varying(largest, ways=2, shots=1).sample(jax.random.key(0))
        >>> task.support.x.shape, 2 <= int(task.support.present.sum()) <= 5
        ((15, 28, 28, 1), True)
    """

    episodes: Episodes
    ways: int = eqx.field(static=True, default=2)
    shots: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        for name, least in (("ways", 2), ("shots", 1)):
            fewest, most = getattr(self, name), getattr(self.episodes, name)
            if not least <= fewest <= most:
                raise BadInput(
                    f"the fewest {name} are {fewest}; give a number from {least} to {most}, the "
                    f"episodes' own {name}"
                )

    @compiled_once
    def sample(self, key: PRNGKeyArray) -> Task:
        """Draw one task. The key is consumed."""
        episode_key, ways_key, shots_key = jax.random.split(key, 3)
        task, most = self.episodes.sample(episode_key), self.episodes
        ways = jax.random.randint(ways_key, (), self.ways, most.ways + 1)
        shots = jax.random.randint(shots_key, (most.ways,), self.shots, most.shots + 1)
        # The first labels and the first of each class stay: both are in random order already.
        present = jnp.arange(most.ways) < ways
        support, query = task.support, task.query
        seen = present[support.y] & (earlier(support.y) < shots[support.y])
        return Task(
            Examples(support.x, support.y, most.ways, seen, present),
            Examples(query.x, query.y, most.ways, present[query.y], present),
        )


def earlier(y: Int[Array, " n"]) -> Int[Array, " n"]:
    """For every example, how many before it are of its class.

    Example:
        >>> earlier(jnp.array([2, 0, 2, 2, 0])).tolist()
        [0, 0, 1, 2, 1]
    """
    same: Bool[Array, "n n"] = y[:, None] == y[None]
    return jnp.sum(jnp.tril(same, -1), 1)
