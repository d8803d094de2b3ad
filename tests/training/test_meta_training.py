"""One step of meta-training, and what is validated."""

import dataclasses

import jax
import optax
import pytest

import quickstudy as qs
from quickstudy.training.meta_training import MetaTraining, episode_scores

KEY = jax.random.key(0)
TASKS = qs.Sinusoid(shots=5, queries=5)
LEARNER = qs.MAML(qs.MLP(1, (8, 1), key=KEY), inner_lr=0.01, steps=1, loss=qs.squared_error)


def more_steps(learner):
    return dataclasses.replace(learner, steps=4)


def test_the_learner_is_validated_as_it_is_tested():
    """With more inner steps than in training; what is learned keeps its own number."""
    found = {}
    for name, how in (("as trained", {}), ("as tested", {"for_test": more_steps})):
        algorithm = MetaTraining(LEARNER, TASKS, TASKS, optax.sgd(0.1), 2, 6, **how)
        found[name] = float(algorithm.validate(algorithm.init(), KEY)["squared_error"])
        assert algorithm.learned(algorithm.init()).steps == 1
    wanted = [
        episode_scores(own, TASKS, KEY, 6)[1].mean() for own in (LEARNER, more_steps(LEARNER))
    ]
    assert list(found.values()) == pytest.approx([float(one) for one in wanted])
    assert abs(found["as trained"] - found["as tested"]) > 1e-3
