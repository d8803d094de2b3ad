"""Pictures of a body, drawn without a screen."""

import importlib
import os
import sys
from typing import Any

import numpy as np
from jaxtyping import UInt8

from quickstudy.envs.mujoco.body import import_mujoco
from quickstudy.errors import BadInput, QuickstudyError

FOLLOWING = "track"  # the camera of Gymnasium's models that moves with the body
GEOMETRIES = 1000  # the most shapes in a picture; a cheetah has 9, an ant 14


class Camera:
    """Draws what the model's camera "track" sees.

    The variable MUJOCO_GL chooses what draws, as everywhere in MuJoCo: egl (a graphics card, or
    Mesa in software), osmesa (software) or glfw (a window's system). Where it is not set, Linux
    takes egl, which needs no screen, and other systems their own. Nothing of it is loaded before
    the first picture is drawn.

    Args:
        model: an `mjModel` with that camera.
        height, width: pixels.

    Raises:
        BadInput: a MUJOCO_GL that MuJoCo does not know.
        QuickstudyError: nothing here can draw; the message says what to install.

    References:
        https://mujoco.readthedocs.io/en/stable/programming/index.html#using-opengl
    """

    def __init__(self, model: Any, height: int = 240, width: int = 320) -> None:
        self.mujoco = mujoco = import_mujoco()
        self.model, self.shape = model, (height, width, 3)
        self.context = _context(height, width)
        self.context.make_current()
        self.scene = mujoco.MjvScene(model, GEOMETRIES)
        self.options, self.marks = mujoco.MjvOption(), mujoco.MjvPerturb()
        self.view = mujoco.MjvCamera()
        self.view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self.view.fixedcamid = model.camera(FOLLOWING).id
        self.drawer = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_resizeOffscreen(width, height, self.drawer)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self.drawer)

    def frame(self, data: Any) -> UInt8[np.ndarray, "height width 3"]:
        """The state of an `mjData` as a picture."""
        mujoco = self.mujoco
        # Parts, lights and the camera where the state says, not where they were a step before.
        for place in (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_camlight):
            place(self.model, data)
        self.context.make_current()
        mujoco.mjv_updateScene(
            self.model, data, self.options, self.marks, self.view,
            mujoco.mjtCatBit.mjCAT_ALL, self.scene,
        )  # fmt: skip
        height, width, _ = self.shape
        area, pixels = mujoco.MjrRect(0, 0, width, height), np.empty(self.shape, np.uint8)
        mujoco.mjr_render(area, self.scene, self.drawer)
        mujoco.mjr_readPixels(pixels, None, area, self.drawer)
        return pixels[::-1].copy()  # OpenGL's first row is the lowest

    def close(self) -> None:
        """Give the graphics' memory back."""
        self.context.make_current()
        self.drawer.free()
        self.context.free()


def _context(height: int, width: int) -> Any:
    """What OpenGL draws into."""
    names = ["egl", "osmesa", "glfw"] if sys.platform == "linux" else ["glfw"]
    name = os.environ.get("MUJOCO_GL", names[0]).lower()
    if name not in names:
        raise BadInput(f"MUJOCO_GL is {name!r}; on this system it may be one of {names}")
    try:
        return importlib.import_module(f"mujoco.{name}").GLContext(width, height)
    # PyOpenGL and glfw raise what they like where a library or a screen is missing.
    except Exception as error:
        raise QuickstudyError(
            f"cannot draw with {name} ({error}). Install its library (Debian, Ubuntu: libegl1 and "
            "libgl1-mesa-dri for egl, libosmesa6 for osmesa), or set MUJOCO_GL to another of "
            f"{names}; glfw needs a screen"
        ) from error
