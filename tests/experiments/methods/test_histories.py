"""Memories of policies as settings."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.histories import HistoryConfig, ReadingHistoryConfig
from quickstudy.nets.sight import Sight
from quickstudy.training.algorithm import update
from references.pictured import Pictured
from references.recipes import algorithm, typed

KEY = jax.random.key(0)


@pytest.mark.parametrize("memory", HistoryConfig.choices())
@pytest.mark.parametrize("name", ["rl2-bandit", "rl2-gridnavi"])
def test_every_memory_is_trained(name, memory):
    """Bandits show nothing, so that a part of the context encoder's state is empty."""
    if (name, memory) == ("rl2-gridnavi", "table"):
        with pytest.raises(qs.BadInput, match="those of gridnavi are not listed one by one"):
            typed(name, "--memory table")
        return
    found = algorithm(typed(name, f"--memory {memory} --meta-batch 8 --width 8 --trial-episodes 4"))
    start = found.init()
    after, _ = eqx.filter_eval_shape(update, found, start, KEY, jnp.zeros(()))
    for x, y in zip(jax.tree.leaves(start), jax.tree.leaves(after), strict=True):
        assert jnp.shape(x) == y.shape


def test_a_layer_may_read_the_observation_first():
    plain, read = (typed("rl2-games", f"--width 8 --reader {size}").learner() for size in (0, 3))
    assert isinstance(read.memory, qs.Reader)
    assert isinstance(plain.memory, qs.GRU)
    with pytest.raises(qs.BadInput, match=r"--reader is not read .* --memory is table"):
        typed("rl2-tabular", "--reader 8")


@pytest.mark.parametrize("memory", sorted({*HistoryConfig.choices()} - {"table"}))
def test_every_memory_sees_pictures(memory):
    """Behind a convolution, whose features are as many as --reader says."""
    config, trial = HistoryConfig.choices()[memory](width=8), qs.Trial(Pictured(), episodes=2)
    for size in (0, 5) if isinstance(config, ReadingHistoryConfig) else (0,):
        config = replace(config, reader=size) if size else config
        encoder = config.encoder(qs.find_problem("bandit"), trial, 0)
        assert isinstance(encoder, qs.Reader)
        assert isinstance(encoder.network, Sight)
        assert encoder.network.features(encoder.observed) == (size or 64) + 2
        policy = qs.MetaPolicy.create(trial, encoder)

        def first(policy, trial=trial):
            seen = trial.begin(KEY, trial.environment.sample(KEY))[1]
            return policy.think(policy.begin(), seen)[1].actions.logits

        assert eqx.filter_eval_shape(first, policy).shape == (2,)
