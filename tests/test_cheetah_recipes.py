"""The half-cheetah's recipes: trained, evaluated and filmed from the command line."""

import json

import pytest

from quickstudy.cli import main
from quickstudy.envs.mujoco import cheetah
from quickstudy.recipes import RECIPES

pytest.importorskip("mujoco")
SMALL = {
    "rl2-cheetah": ("--meta-batch", "4", "--width", "8", "--episodes", "1", "--epochs", "1"),
    "maml-cheetah": ("--meta-batch", "2", "--trajectories", "2", "--episodes", "2"),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_cheetah_is_trained_evaluated_and_filmed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RECIPES[name], "test_trials", 4)
    monkeypatch.setattr(cheetah, "HORIZON", 20)
    few = ("--steps", "1", "--validate-every", "1", "--validation-episodes", "2")
    main(["train", name, "--aim", "direction", "--version", "promp", *few, *SMALL[name]])
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "recipe.json").read_text())["version"] == "promp"
    assert (run / "evaluation-test.json").is_file()
    main(["play", str(run)])
    assert (run / "play-test-0.gif").stat().st_size > 10_000
