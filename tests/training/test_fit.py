"""The loop: the best weights, the end of a bad run, Ctrl-C, and chunks that leave no trace."""

import dataclasses
import itertools
import signal
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy import training
from quickstudy.checkpoint import load_arrays
from quickstudy.errors import CheckpointError
from quickstudy.testing.comparing import same_bits
from quickstudy.training.fit import Interrupted, fit
from quickstudy.training.pace import Pace
from quickstudy.training.train import train
from references import tiny_training

KEY = jax.random.key(0)
PLAN = qs.MetaPlan(steps=30, validate_every=5)
RECIPE = {"recipe": "toy"}


class Walk(eqx.Module):
    """x goes up by one in each step, `noise` collects the keys; the score is best at x = `best_at`.

    From step `bad_from` on the loss is not a number; validation is bad where x is `bad_at`.
    """

    best_at: float = 20.0
    bad_from: float = 1e9
    bad_at: float = -1.0

    def init(self):
        return {"x": jnp.float32(0), "noise": jnp.float32(0)}

    def update(self, state, key, progress):
        x = state["x"] + 1
        noise = 0.9 * state["noise"] + jax.random.normal(key) * (1 - progress)
        loss = jnp.where(x >= self.bad_from, jnp.nan, x)
        return {"x": x, "noise": noise}, {"loss": loss, "progress": progress}

    def validate(self, state, key):
        score = -jnp.square(state["x"] - self.best_at)
        return {"score": jnp.where(state["x"] == self.bad_at, jnp.nan, score)}

    def learned(self, state):
        return state


class Recorder:
    """Remembers what training tells, and does something at a given step."""

    def __init__(self, at: int | None = None, action: Any = None):
        self.at, self.action = at, action
        self.told: dict[int, dict[str, float]] = {}
        self.started = self.closed = None

    def start(self, step, steps):
        self.started = (step, steps)

    def update(self, step, metrics):
        self.told[step] = metrics
        if self.at is not None and step >= self.at and self.action:
            action, self.action = self.action, None
            action()

    def close(self):
        self.closed = True


class Crash(Exception):
    pass


def crash():
    raise Crash


def interrupt():
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def as_from_a_terminal():
    """A shell starts what it runs in the background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(tmp_path):
    return qs.Run.create(tmp_path / "run", RECIPE)


def test_the_best_weights_by_validation():
    fitted = fit(Walk(best_at=21.0), PLAN, key=KEY)
    assert float(fitted.best["x"]) == 20
    assert float(fitted.last["x"]) == 30
    assert fitted.score == -1


def test_the_best_weights_survive_resuming(run):
    with pytest.raises(Crash):
        fit(Walk(best_at=10.0), PLAN, key=KEY, run=run, report=Recorder(25, crash))
    assert run.checkpoints.steps()[0] == 25
    fitted = fit(Walk(best_at=10.0), PLAN, key=KEY, run=run)
    assert float(fitted.best["x"]) == 10
    assert fitted.score == 0


def test_of_equal_scores_the_first():
    assert float(fit(Walk(best_at=12.5), PLAN, key=KEY).best["x"]) == 10


def test_validation_every_so_often_and_at_the_end():
    report = Recorder()
    fit(Walk(), dataclasses.replace(PLAN, steps=12), key=KEY, report=report)
    validated = [step for step, told in report.told.items() if "validation_score" in told]
    assert validated == [5, 10, 12]
    assert report.started == (0, 12)
    assert report.closed


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


# Resuming.


@pytest.mark.parametrize("at", [1, 5, 7, 20])
def test_resumed_equals_uninterrupted(run, at, monkeypatch):
    monkeypatch.setattr(Pace, "next_stop", lambda pace, step: step + 1)
    with pytest.raises(Crash):
        fit(Walk(), PLAN, key=KEY, run=run, report=Recorder(at, crash))
    report = Recorder()
    resumed = fit(Walk(), PLAN, key=KEY, run=run, report=report)
    assert report.started == (at // 5 * 5, 30)
    assert same_bits(resumed, fit(Walk(), PLAN, key=KEY))
    assert [line["step"] for line in run.metrics()] == list(range(1, 31))


def test_a_line_cut_short_is_written_again(run):
    """A crash in the middle of a write, before the first checkpoint."""
    (run.folder / "metrics.jsonl").write_text('{"step": 1, "loss": 1.0}\n{"step": 2, "lo')
    fit(Walk(), PLAN, key=KEY, run=run)
    steps = [line["step"] for line in run.metrics()]
    assert steps == sorted(set(steps))
    assert steps[-1] == 30


def test_a_damaged_checkpoint_costs_only_time(run, caplog):
    with pytest.raises(Crash):
        fit(Walk(), PLAN, key=KEY, run=run, report=Recorder(20, crash))
    newest = run.checkpoints.path(20)
    newest.write_bytes(newest.read_bytes()[:50])
    report = Recorder()
    resumed = fit(Walk(), PLAN, key=KEY, run=run, report=report)
    assert report.started == (15, 30)
    assert str(newest) in caplog.text
    assert same_bits(resumed, fit(Walk(), PLAN, key=KEY))


def test_a_crash_between_the_last_two_files(run, monkeypatch):
    """Whichever of checkpoint and learner was written last, resuming leaves both."""
    monkeypatch.setattr(training, "save_arrays", lambda *_: crash())
    with pytest.raises(Crash):
        fit(Walk(), dataclasses.replace(PLAN, validate_every=30), key=KEY, run=run)
    monkeypatch.undo()
    fitted = fit(Walk(), dataclasses.replace(PLAN, validate_every=30), key=KEY, run=run)
    assert same_bits(load_arrays(run.learner_file, fitted.best), fitted.best)


def test_a_full_disk_says_how_to_go_on(run, monkeypatch):
    def full(path, *_):
        raise CheckpointError(f"could not write {path}")

    monkeypatch.setattr(training, "save_arrays", full)
    with pytest.raises(CheckpointError, match=f"--resume {run.folder}"):
        fit(Walk(), PLAN, key=KEY, run=run)
    monkeypatch.undo()
    assert fit(Walk(), PLAN, key=KEY, run=run).score == 0


def test_a_finished_run_is_not_trained_again(run):
    first = fit(Walk(), PLAN, key=KEY, run=run)
    report = Recorder()
    assert same_bits(fit(Walk(), PLAN, key=KEY, run=run, report=report), first)
    assert report.told == {}


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


# Bad ends.


def test_not_a_number_stops_at_once(run):
    with pytest.raises(qs.NonFiniteLoss) as error:
        fit(Walk(bad_from=18.0), PLAN, key=KEY, run=run)
    message = str(error.value)
    assert "recipe toy: loss" in message
    first, last = (int(n) for n in message.split("in steps ")[1].split(";")[0].split("–"))
    assert first < 18 <= last
    assert str(run.checkpoints.path(15)) in message
    assert run.checkpoints.steps()[0] == 15
    # The best learner from before the bad end is kept.
    assert float(load_arrays(run.learner_file, Walk().init())["x"]) == 15


def test_not_a_number_before_any_checkpoint(run):
    with pytest.raises(qs.NonFiniteLoss, match="there is no checkpoint yet"):
        fit(Walk(bad_from=1.0), PLAN, key=KEY, run=run)
    with pytest.raises(qs.NonFiniteLoss, match="training: loss"):
        fit(Walk(bad_from=1.0), PLAN, key=KEY)


def test_not_a_number_in_validation(run):
    with pytest.raises(qs.NonFiniteLoss, match="validation_score"):
        fit(Walk(bad_at=10.0), PLAN, key=KEY, run=run)
    assert run.checkpoints.steps() == [5]


def test_interrupted_and_resumed(run):
    before = signal.getsignal(signal.SIGINT)
    report = Recorder(7, interrupt)
    with pytest.raises(Interrupted, match=f"--resume {run.folder}"):
        fit(Walk(), PLAN, key=KEY, run=run, report=report)
    assert signal.getsignal(signal.SIGINT) is before
    assert report.closed
    stopped = list(report.told)[-1]
    assert run.checkpoints.steps()[0] == stopped
    report = Recorder()
    resumed = fit(Walk(), PLAN, key=KEY, run=run, report=report)
    assert report.started == (stopped, 30)
    assert same_bits(resumed, fit(Walk(), PLAN, key=KEY))


def test_a_second_interrupt_stops_at_once(run):
    def twice():
        interrupt()
        interrupt()

    with pytest.raises(KeyboardInterrupt):
        fit(Walk(), PLAN, key=KEY, run=run, report=Recorder(7, twice))


def test_without_a_folder_an_interrupt_is_an_interrupt():
    with pytest.raises(KeyboardInterrupt):
        fit(Walk(), PLAN, key=KEY, report=Recorder(7, interrupt))


def test_a_run_folder_that_exists(run):
    with pytest.raises(CheckpointError, match=r"exists already; resume it with --resume"):
        qs.Run.create(run.folder, RECIPE)


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(CheckpointError, match="not a run's folder"):
        qs.Run.open(tmp_path)


def test_a_run_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="could not make the run folder"):
        qs.Run.create(tmp_path / "file" / "run", RECIPE)


def test_another_recipe_is_not_resumed(run):
    fit(Walk(), PLAN, key=KEY, run=run)
    other = qs.Run(run.folder, {"recipe": "toy", "seed": 1})
    with pytest.raises(CheckpointError, match="seed is None there and 1 here"):
        fit(Walk(), PLAN, key=KEY, run=other)


@pytest.mark.parametrize("name", ["steps", "meta_batch", "validate_every", "validation_episodes"])
def test_plans_that_cannot_be(name):
    with pytest.raises(qs.BadInput, match=f"{name} is 0"):
        qs.MetaPlan(**{name: 0})


def test_tasks_that_the_learner_cannot_take():
    tasks = qs.Sinusoid(shots=2)
    learner = qs.MAML(qs.MLP(1, (4, 3), key=KEY), loss=qs.squared_error)
    with pytest.raises(qs.BadInput, match=r"3 outputs.*targets of size 1"):
        train(learner, tasks, validation=tasks, key=KEY)
    with pytest.raises(qs.BadInput, match="needs class labels"):
        train(qs.Prototypical(learner.model), tasks, validation=tasks, key=KEY)


# The real thing, once.


def test_meta_training_is_saved_as_it_is_returned(tmp_path):
    run = qs.Run.create(tmp_path / "run", tiny_training.RECIPE)
    trained = tiny_training.main(run)
    assert same_bits(load_arrays(run.learner_file, trained), trained)
    assert {p.name for p in run.folder.iterdir()} == {
        "recipe.json", "environment.json", "metrics.jsonl", "checkpoints", "learner.safetensors"
    }  # fmt: skip
    first, last = run.metrics()[0], run.metrics()[-1]
    assert first.keys() >= {"step", "loss", "squared_error", "gradient_norm", "seconds"}
    assert last["validation_score"] == -last["validation_squared_error"]


def test_the_best_so_far_can_be_loaded_before_training_ends(run):
    with pytest.raises(Crash):
        fit(Walk(best_at=5.0), PLAN, key=KEY, run=run, report=Recorder(20, crash))
    found = load_arrays(run.learner_file, Walk().init())
    assert float(found["x"]) == 5


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
