"""Every family of bodies in MuJoCo, by name, and whether the engine is there."""

import pytest

from quickstudy import QuickstudyError
from quickstudy.envs.mujoco.ant import ant
from quickstudy.envs.mujoco.body import import_mujoco
from quickstudy.envs.mujoco.cheetah import cheetah

try:
    mujoco = import_mujoco()
except QuickstudyError:
    mujoco = None
needs_mujoco = pytest.mark.skipif(mujoco is None, reason="MuJoCo or Gymnasium is not installed")

FAMILIES = {
    **{
        f"cheetah {aim} {version}": cheetah(aim, version)
        for aim in ("velocity", "direction")
        for version in ("maml", "promp", "pearl", "varibad")
    },
    **{
        f"ant {aim} {version}": ant(aim, version)
        for aim in ("direction", "goal")
        for version in ("maml", "pearl")
    },
}
