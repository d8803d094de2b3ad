"""Families of one's own in every space, from a file: trained, tested and filmed."""

import shutil
from pathlib import Path

import pytest

from quickstudy.app.cli import main
from references.own_code import forget

pytest.importorskip("gymnasium")
from references.spaced import OBSERVATIONS

FEW = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --no-test"
SMALL = {
    "rl2": "--width 4 --minibatches 1 --epochs 1 --trial-episodes 2",
    "maml": "--width 4 --trajectories 2 --updates 1",
    "pretrained": "--width 4 --trajectories 2 --updates 1",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A copy that this module alone imports."""
    folder = tmp_path_factory.mktemp("spaced")
    shutil.copy(Path(__file__).parents[2] / "references" / "spaced.py", folder / "spaced.py")
    yield folder / "spaced.py"
    forget(folder)


def learned(method, named, run, more=""):
    main(f"train {method} --on {named} {SMALL[method]} {FEW} --run {run} {more}".split())
    main(f"evaluate {run} --recipe {named} --episodes 2 {more}".split())
    main(["play", str(run), "--recipe", named])
    assert (run / "play-test-0.gif").stat().st_size > 100


# The environment refuses an action that is not in its space. Between them they have every space.
@pytest.mark.parametrize("method", ["rl2", "maml"])
@pytest.mark.parametrize("named", OBSERVATIONS)
def test_every_space(named, method, file, tmp_path):
    learned(method, f"{file}:{named}", tmp_path / "run")


def test_without_adapting(file, tmp_path):
    learned("pretrained", f"{file}:both", tmp_path / "run")


def test_in_processes(file, tmp_path):
    """Dicts and pictures are read where the environment is."""
    learned("rl2", f"{file}:both", tmp_path / "run", "--processes 2")


@pytest.mark.parametrize("improvement", ["trpo", "policy-gradient"])
def test_several_choices_are_improved_on(improvement, file, tmp_path):
    small = f"--width 4 --trial-episodes 2 --improvement {improvement}"
    main(f"train rl2 --on {file}:parts {small} {FEW} --run {tmp_path / 'run'}".split())
