"""The loop: the best weights, the end of a bad run, Ctrl-C, and chunks that leave no trace."""

import dataclasses
import signal

import jax
import pytest

import quickstudy as qs
from quickstudy.checkpoint import load_arrays
from quickstudy.errors import CheckpointError
from quickstudy.testing.comparing import same_bits
from quickstudy.training.fit import Interrupted, fit
from quickstudy.training.pace import Pace
from references.walking import Crash, Recorder, Walk, crash, interrupt

KEY = jax.random.key(0)
PLAN = qs.MetaPlan(steps=30, validate_every=5)
RECIPE = {"recipe": "toy"}


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
    monkeypatch.setattr("quickstudy.training.fit.save_arrays", lambda *_: crash())
    with pytest.raises(Crash):
        fit(Walk(), dataclasses.replace(PLAN, validate_every=30), key=KEY, run=run)
    monkeypatch.undo()
    fitted = fit(Walk(), dataclasses.replace(PLAN, validate_every=30), key=KEY, run=run)
    assert same_bits(load_arrays(run.learner_file, fitted.best), fitted.best)


def test_a_full_disk_says_how_to_go_on(run, monkeypatch):
    def full(path, *_):
        raise CheckpointError(f"could not write {path}")

    monkeypatch.setattr("quickstudy.training.fit.save_arrays", full)
    with pytest.raises(CheckpointError, match=f"--resume {run.folder}"):
        fit(Walk(), PLAN, key=KEY, run=run)
    monkeypatch.undo()
    assert fit(Walk(), PLAN, key=KEY, run=run).score == 0


def test_a_finished_run_is_not_trained_again(run):
    first = fit(Walk(), PLAN, key=KEY, run=run)
    report = Recorder()
    assert same_bits(fit(Walk(), PLAN, key=KEY, run=run, report=report), first)
    assert report.told == {}


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


def test_another_recipe_is_not_resumed(run):
    fit(Walk(), PLAN, key=KEY, run=run)
    other = qs.Run(run.folder, {"recipe": "toy", "seed": 1})
    with pytest.raises(CheckpointError, match="seed is None there and 1 here"):
        fit(Walk(), PLAN, key=KEY, run=other)


def test_the_best_so_far_can_be_loaded_before_training_ends(run):
    with pytest.raises(Crash):
        fit(Walk(best_at=5.0), PLAN, key=KEY, run=run, report=Recorder(20, crash))
    found = load_arrays(run.learner_file, Walk().init())
    assert float(found["x"]) == 5
