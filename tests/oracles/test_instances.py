"""Tasks on which agents are compared keep their numbers."""

import jax
import numpy as np

import quickstudy as qs
from quickstudy.oracles.instances import draw_tasks

KEY = jax.random.key(3)


def test_the_task_of_a_number_is_the_same_among_few_and_many():
    bandit = qs.Bandit(arms=3)
    few, many = (draw_tasks(bandit, n, key=KEY).p for n in (2, 5))
    np.testing.assert_array_equal(few, many[:2])
    np.testing.assert_array_equal(many[4], bandit.sample(jax.random.fold_in(KEY, 4)).p)
    assert len(np.unique(many, axis=0)) == 5
