"""Models of bodies are Gymnasium's, and loading them is quiet."""

import subprocess
import sys

import pytest

from quickstudy import BadInput
from quickstudy.envs.mujoco.body import load_model
from references.bodies import FAMILIES, needs_mujoco


@needs_mujoco
def test_the_models_are_gymnasiums_and_loading_says_and_writes_nothing(tmp_path):
    program = (
        "from quickstudy.envs.mujoco.cheetah import cheetah\n"
        "from quickstudy.envs.mujoco.ant import ant\n"
        "cheetah('velocity', 'maml').make().reset(seed=0)\n"
        "ant('goal', 'maml').make().reset(seed=0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
    model = load_model("half_cheetah.xml")
    assert model.body_mass.sum() == pytest.approx(14.0, abs=1e-9)
    assert load_model("ant.xml").opt.timestep == 0.01
    assert FAMILIES["ant goal maml"].make().body.model.opt.timestep == 0.02
    with pytest.raises(BadInput, match=r"no model 'dog.xml'; it has \['ant.xml'"):
        load_model("dog.xml")
