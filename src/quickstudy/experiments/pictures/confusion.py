"""Which classes a learner takes for each other, over many tasks."""

from collections import Counter
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from quickstudy.errors import demand_counts
from quickstudy.experiments.sections import ConfusedPair, Confusions, Picture
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import possible
from quickstudy.mesh import map_over_tasks
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.transforms import quarter_turns


def confusions(
    learner: Learner, tasks: Episodes, *, episodes: int = 200, key: PRNGKeyArray, most: int = 8
) -> Confusions:
    """Count for every pair of classes how often one is taken for the other.

    Args:
        learner: trained or not.
        tasks: p(T); the same key gives the first `episodes` tasks of `quickstudy.evaluate`.
        episodes: how many tasks.
        key: consumed.
        most: the most pairs to return; pairs never confused are left out.

    Raises:
        BadInput: `episodes` is not positive.

    Example:
        >>> import quickstudy as qs
        >>> learner = qs.Prototypical(qs.Conv4((28, 28, 1), filters=4, key=jax.random.key(0)))
        >>> images = np.zeros((3, 4, 28, 28), np.uint8)  # all alike: the first class wins
        >>> tasks = qs.Episodes(images, ways=2, shots=1, queries=1)
        >>> found = confusions(learner, tasks, episodes=6, key=jax.random.key(1))
        >>> found.wrong, found.queries
        (6, 12)
    """
    demand_counts(episodes=episodes)
    true, taken = (np.asarray(a) for a in _answers(learner, tasks, key, episodes))
    real = true >= 0
    wrong = real & (true != taken)
    mistaken = Counter(zip(true[wrong].tolist(), taken[wrong].tolist(), strict=True))
    pairs: Counter[tuple[int, ...]] = Counter()
    for pair, count in mistaken.items():
        pairs[tuple(sorted(pair))] += count
    # Among equals by number, so that a page is the same each time that it is written.
    ranked = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:most]
    return Confusions(
        tuple(_pair(tasks, pair, mistaken, true) for pair in ranked),
        int(wrong.sum()),
        int(real.sum()),
    )


def class_picture(tasks: Episodes, number: int) -> Picture:
    """A class by its first item and its name."""
    return Picture(class_image(tasks, number), tasks.class_name(number))


def class_image(tasks: Episodes, number: int) -> np.ndarray:
    """The first item of a class `[h, w, c]` in [0, 1], turned as the class is, else unchanged."""
    row, turn = jnp.array([number // tasks.turns]), jnp.array([number % tasks.turns])
    image = tasks.inputs(tasks.images[row, jnp.zeros(1, int)])
    if tasks.turns > 1:
        image = quarter_turns(image, turn)
    return np.asarray(image[0])


@eqx.filter_jit
def _answers(
    learner: Learner, tasks: Episodes, key: PRNGKeyArray, episodes: int
) -> tuple[Int[Array, "episodes queries"], Int[Array, "episodes queries"]]:
    """The true class of each query, −1 for padding, and the class it was taken for."""
    fixed, rest = eqx.partition((learner, tasks), eqx.is_array)

    def one(fixed: Any, key: PRNGKeyArray) -> tuple[Array, Array]:
        learner, tasks = eqx.combine(fixed, rest)
        sample_key, adapt_key = jax.random.split(key)
        task, classes = tasks.draw(sample_key)
        predictor = learner.adapt(task.support, key=adapt_key)
        outputs = possible(predictor(task.query.x), task.query)
        true = classes[task.query.y]
        if task.query.real is not None:
            true = jnp.where(task.query.real, true, -1)
        return true, classes[outputs.argmax(-1)]

    return map_over_tasks(one, fixed, key, episodes)


def _pair(
    tasks: Episodes, pair: tuple[int, ...], mistaken: Counter, true: np.ndarray
) -> ConfusedPair:
    """The pair, the direction of more mistakes first."""
    first, second = sorted(pair, key=lambda c: -mistaken[c, sum(pair) - c])
    is_either = (true == first) | (true == second)
    together = (true == first).any(1) & (true == second).any(1)
    forth, back = mistaken[first, second], mistaken[second, first]
    pictures = (class_picture(tasks, first), class_picture(tasks, second))
    return ConfusedPair(first, second, forth, back, int(is_either[together].sum()), pictures)
