"""Pictures of bodies, and what to install where nothing draws."""

import sys

import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs.mujoco.body import load_model
from quickstudy.envs.mujoco.camera import Camera
from references.bodies import FAMILIES, needs_mujoco


@needs_mujoco
def test_frames_show_the_body_that_moves(monkeypatch):
    env = FAMILIES["cheetah velocity promp"].make("rgb_array")
    env.reset(seed=0)
    try:
        before = env.render()
    except QuickstudyError as error:
        pytest.skip(f"this machine cannot draw: {error}")
    assert (before.shape, before.dtype) == ((240, 320, 3), np.uint8)
    for _ in range(5):
        env.step(np.ones(6))
    after = env.frame()
    assert 0.001 < np.mean(before != after) < 0.9
    assert before[:40].std() < before[120:].std()  # the sky is above, the chequered floor below
    env.close()
    assert FAMILIES["cheetah velocity promp"].make().render() is None


@needs_mujoco
def test_what_cannot_draw_says_what_to_install(monkeypatch):
    model = load_model("half_cheetah.xml")
    monkeypatch.setenv("MUJOCO_GL", "crayons")
    with pytest.raises(BadInput, match="MUJOCO_GL is 'crayons'"):
        Camera(model)
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    monkeypatch.setitem(sys.modules, "mujoco.glfw", None)
    with pytest.raises(QuickstudyError, match=r"cannot draw with glfw .* set MUJOCO_GL"):
        Camera(model)
