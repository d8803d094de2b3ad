"""A run's folder: what it says of the program, and what it makes of files that are spoilt."""

import shutil
import subprocess
import sys

import pytest

import quickstudy as qs
from quickstudy import runs
from quickstudy.errors import CheckpointError

RECIPE = {"recipe": "maml-sinusoid"}


def repository(folder):
    """A repository with one commit of all that is in the folder, and that commit's name."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    name = ["git", "rev-parse", "HEAD"]
    return subprocess.run(name, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_of_this_program_not_of_the_project_that_uses_it(tmp_path, monkeypatch):
    mine, other = (tmp_path / name for name in ("mine", "other"))
    installed = other / ".venv" / "quickstudy" / "runs.py"
    source = mine / "src" / "quickstudy" / "runs.py"
    for file in (installed, source):
        file.parent.mkdir(parents=True)
        file.write_text("")
    commit = repository(mine)
    repository(other)
    monkeypatch.setattr(runs, "__file__", str(source))
    assert commit.startswith(runs.environment()["commit"])
    monkeypatch.setattr(runs, "__file__", str(installed))
    assert runs.environment()["commit"] is None


@pytest.mark.parametrize(
    "spoilt",
    [
        b"\xc9\x00\xff",
        b"[]\n3\nnull\n",
        b'{"loss": 1.0}\n',
        b'{"step": 4, "lo',
        b'{"step": "4"}\n{"step": 4, "seconds": "1"}\n{"step": true}\n',
    ],
)
def test_spoilt_metrics_are_passed_over(tmp_path, spoilt):
    run = qs.Run.create(tmp_path / "run", RECIPE)
    run.log({"step": 2})
    with open(run.folder / "metrics.jsonl", "ab") as file:
        file.write(spoilt)
    assert run.metrics() == [{"step": 2}]
    run.goes_on(2)
    run.log({"step": 3})
    assert run.metrics() == [{"step": 2}, {"step": 3}]


@pytest.mark.parametrize("text", ["", "null", "[]", "3"])
def test_a_recipe_that_is_spoilt(tmp_path, text):
    run = qs.Run.create(tmp_path / "run", RECIPE)
    (run.folder / "recipe.json").write_text(text)
    with pytest.raises(CheckpointError, match="recipe\\.json"):
        qs.Run.open(run.folder)


@pytest.fixture
def run(tmp_path):
    return qs.Run.create(tmp_path / "run", RECIPE)


def test_the_command_that_goes_on_names_code_of_one_s_own(tmp_path):
    run = runs.Run.create(tmp_path / "my run", RECIPE, own=("a b.py:Mine",))
    told = f"quickstudy train --resume '{tmp_path}/my run' --recipe 'a b.py:Mine'"
    assert run.resuming == told
    assert run.lengthened(5).resuming == told
    assert runs.Run.open(run.folder).resuming == told.partition(" --recipe")[0]


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


HOLDS = """
import sys, quickstudy as qs
with qs.Run.open(sys.argv[1]).alone():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_trainings_do_not_share_a_folder(run):
    """Not in one process, nor in two; the end of one frees the folder, however it ends."""
    with run.alone(), pytest.raises(CheckpointError, match="another training is at work"):
        run.alone().__enter__()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(run.folder)], **pipes) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CheckpointError, match="another training is at work"):
            run.alone().__enter__()
        other.kill()
    with run.alone():
        pass
    assert not list(run.folder.glob(".*"))
