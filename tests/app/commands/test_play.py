"""`quickstudy play`: one trial as a picture."""

import pytest
from PIL import Image

from quickstudy.app.cli import main
from references.recipes import untrained
from references.refusing import stopped

SIZES = {
    "rl2-bandit": "--width 4 --trial-episodes 3",
    "maml-navigation": "--trajectories 3 --width 4 --inner-steps 2 --updates 2",
}


@pytest.mark.parametrize(("name", "trial"), [("rl2-bandit", 2), ("maml-navigation", 1)])
def test_a_trial_is_shown(name, trial, tmp_path, capsys):
    """Of MAML, paths before and after each update."""
    run = untrained(tmp_path / "run", name, SIZES[name])
    main(f"play {run} --trial {trial}".split())
    file = run / f"play-test-{trial}.png"
    assert str(file) in capsys.readouterr().out
    with Image.open(file) as image:
        assert image.size[0] > 300
    main(f"play {run} --trial {trial} --greedy".split())
    greedy = run / f"play-test-{trial}-greedy.png"
    assert greedy.read_bytes() != file.read_bytes()
    said = stopped(f"play {run} --trial -1".split(), capsys)
    assert "--trial is -1" in said


def test_what_does_not_act_is_not_played(tmp_path, capsys):
    run = untrained(tmp_path / "run", "maml-sinusoid", "--width 4")
    assert "maml learns from examples and does not act" in stopped(["play", str(run)], capsys)
    assert "no use for --greedy" in stopped(["play", str(run), "--greedy"], capsys)
