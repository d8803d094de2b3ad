"""A training killed with SIGKILL at any moment, and resumed, ends with the same bits."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import quickstudy as qs
from quickstudy.checkpoint import load_arrays
from quickstudy.testing.comparing import same_bits
from references import tiny_training
from references.tiny_training import PLAN, RECIPE

KILLS = 3


def start(folder):
    """The program on that run folder, in a process of its own."""
    command = [sys.executable, tiny_training.__file__, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)


def killed_after(process, heard, delay):
    """Kill it so many seconds after it was heard so often; what it said until then."""
    with process:
        lines = [process.stdout.readline() for _ in range(heard)]
        time.sleep(delay)
        process.kill()
        lines += process.stdout.readlines()
    return process.returncode, lines


def validations(run):
    """What was measured at each validation, times of day left out."""
    lines = [line for line in run.metrics() if "validation_score" in line]
    return {line["step"]: line["validation_score"] for line in lines}


def test_killed_and_resumed_ends_with_the_same_bits(tmp_path):
    wanted_run = qs.Run.create(tmp_path / "never killed", RECIPE)
    wanted = tiny_training.main(wanted_run)

    run = qs.Run.create(tmp_path / "killed", RECIPE)
    moments, begun_at = random.Random(), []
    for kill in range(KILLS):
        # The last one comes after a checkpoint, one of which is left every 4 steps: three early
        # kills in a row, one time in a hundred, would leave nothing to resume.
        least = 8 if kill == KILLS - 1 else 1
        heard, delay = moments.randint(least, 20), moments.uniform(0, 0.02)
        code, lines = killed_after(start(run.folder), heard, delay)
        assert code == -signal.SIGKILL, (heard, delay)
        begun_at.append(int(lines[0].split()[1]))
        assert f"step {PLAN.steps}\n" not in lines
    assert begun_at == sorted(begun_at)

    with start(run.folder) as process:
        said = process.communicate(timeout=120)[0].splitlines()
    assert process.returncode == 0
    assert said[0] != "start 0"
    assert said[-1] == f"step {PLAN.steps}"

    found = load_arrays(run.learner_file, wanted, RECIPE)
    assert same_bits(found, wanted)
    assert run.learner_file.read_bytes() == wanted_run.learner_file.read_bytes()
    steps = [line["step"] for line in run.metrics()]
    assert steps == sorted(set(steps)), "each step once, in order"
    assert validations(run) == validations(wanted_run)
    assert list(validations(run)) == list(range(4, PLAN.steps + 1, 4))
    leftovers = [p.name for p in Path(run.folder).rglob("*.partial")]
    assert not leftovers
