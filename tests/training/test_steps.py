"""Steps in chunks of any length, compiled once, or on the host: the same bits."""

import dataclasses
import itertools

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.testing.comparing import same_bits
from quickstudy.training.fit import fit
from quickstudy.training.pace import Pace
from references.walking import Recorder, Stroll, Walk

KEY = jax.random.key(0)
PLAN = qs.MetaPlan(steps=30, validate_every=5)
RECIPE = {"recipe": "toy"}


@pytest.fixture
def run(tmp_path):
    return qs.Run.create(tmp_path / "run", RECIPE)


def test_a_chunk_tells_the_mean_of_its_losses():
    report = Recorder()
    fit(Walk(), PLAN, key=KEY, report=report)
    steps = [0, *report.told]
    for start, stop in itertools.pairwise(steps):
        np.testing.assert_allclose(report.told[stop]["loss"], np.mean(range(start + 1, stop + 1)))


def test_every_step_has_its_own_key_and_knows_how_far_training_is():
    train_key, noise = jax.random.split(KEY)[0], 0.0
    for step in range(30):
        drawn = jax.random.normal(jax.random.fold_in(train_key, step))
        noise = 0.9 * noise + float(drawn) * (1 - step / 30)
    np.testing.assert_allclose(fit(Walk(), PLAN, key=KEY).last["noise"], noise, rtol=1e-4)


@pytest.mark.parametrize("lengths", [(1,), (2, 3), (7, 1, 30)])
def test_chunks_of_any_length_give_the_same_bits(lengths, monkeypatch):
    steps = itertools.cycle(lengths)
    monkeypatch.setattr(Pace, "next_stop", lambda pace, step: min(step + next(steps), pace.steps))
    plan = dataclasses.replace(PLAN, validate_every=1000)
    together = fit(Walk(), plan, key=KEY).last
    monkeypatch.setattr(Pace, "next_stop", lambda pace, step: pace.steps)
    assert same_bits(together, fit(Walk(), plan, key=KEY).last)
    other = fit(Walk(), plan, key=jax.random.key(1)).last
    assert not same_bits(together, other)


def test_the_step_is_compiled_once(run, caplog):
    """Not again for the second chunk, whose state comes from the first, nor for one restored."""
    # Sizes that no other test has: a program that is compiled already would not be counted.
    tasks = qs.Sinusoid(shots=3, queries=4)
    model = qs.MLP(1, (9, 1), key=KEY)
    learner = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
    plan = qs.MetaPlan(steps=8, meta_batch=3, validate_every=4, validation_episodes=3)
    with jax.log_compiles():
        qs.train(learner, tasks, validation=tasks, plan=plan, key=KEY, run=run)
    compiled = [r.getMessage() for r in caplog.records if "Finished XLA" in r.getMessage()]
    assert sum("_run_chunk" in message for message in compiled) == 1
    assert sum("_run_validation" in message for message in compiled) == 1


def test_steps_on_the_host_are_the_same_steps():
    """Keys, progress and means of chunks; only `improve` is compiled."""
    found = []
    for algorithm in (Walk(), Stroll()):
        report = Recorder()
        fitted = fit(algorithm, PLAN, key=KEY, report=report)
        found.append((fitted, report.told[PLAN.steps]))
    for ours, theirs in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
