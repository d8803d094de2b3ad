"""A body in MuJoCo's C engine, and how it is loaded: quietly, and once per process."""

import abc
import functools
import importlib
import importlib.resources
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float

from quickstudy.envs.gymnasium_env import import_gymnasium
from quickstudy.errors import BadInput, QuickstudyError

Vector = Float[np.ndarray, "_"]

TORSO = 1  # in all of Gymnasium's models the torso is the first part after the world


def import_mujoco() -> Any:
    """The module.

    Raises:
        QuickstudyError: MuJoCo, or Gymnasium, whose models of bodies are used, is not installed.
    """
    try:
        import_gymnasium()
        return importlib.import_module("mujoco")
    except (ImportError, QuickstudyError) as error:
        raise QuickstudyError(
            "this needs MuJoCo and Gymnasium, which are not both installed: "
            "pip install 'quickstudy[mujoco]'"
        ) from error


@functools.cache
def load_model(xml: str) -> Any:
    """One of Gymnasium's models of bodies: an `mjModel`, shared by all who simulate that body.

    MuJoCo warns of the attribute `settotalmass`, and writes that into a file in the working
    folder. So it is left out, and the mass is set as the warning advises: the model is the same.

    Args:
        xml: its file's name, as `half_cheetah.xml`.

    Raises:
        BadInput: Gymnasium has no such model.
        QuickstudyError: MuJoCo or Gymnasium is not installed.

    References:
        https://mujoco.readthedocs.io/en/stable/XMLreference.html#compiler
    """
    mujoco = import_mujoco()
    folder = importlib.resources.files("gymnasium") / "envs" / "mujoco" / "assets"
    file = folder / xml
    if not file.is_file():
        known = sorted(each.name for each in folder.iterdir() if each.name.endswith(".xml"))
        raise BadInput(f"Gymnasium has no model {xml!r}; it has {known}")
    root = ElementTree.fromstring(file.read_text("utf-8"))
    masses = [part.attrib.pop("settotalmass", None) for part in root.iter("compiler")]
    model = mujoco.MjModel.from_xml_string(ElementTree.tostring(root, "unicode"))
    for mass in filter(None, masses):
        mujoco.mj_setTotalmass(model, float(mass))
        mujoco.mj_setConst(model, mujoco.MjData(model))
    return model


class Body(abc.ABC):
    """One body, its state, and what a paper's definition reads from it.

    An action `[size]` within ± 1 is held for `frame_skip` steps of the engine. Whatever a
    definition reads is computed anew from the state after the last of them: MuJoCo itself leaves
    positions, velocities and forces of parts as they were one engine step before.

    Attributes:
        xml: the name of Gymnasium's model.
        frame_skip: steps of the engine per action.
        model: its `mjModel`; not to be changed, for others share it.
        data: its `mjData`.
        position: x and y of the root in metres, now.
        before: the same before the last action.
    """

    xml: ClassVar[str]
    frame_skip: ClassVar[int]

    def __init__(self) -> None:
        self.mujoco = import_mujoco()
        self.model = self.load()
        self.data = self.mujoco.MjData(self.model)
        self.position = self.before = self.root()

    @classmethod
    def load(cls) -> Any:
        """The model: Gymnasium's."""
        return load_model(cls.xml)

    @property
    def seconds(self) -> float:
        """The time that one action takes."""
        return self.frame_skip * self.model.opt.timestep

    def begin(self, rng: np.random.Generator) -> None:
        """Start an episode. The generator is consumed."""
        # Also what the solver starts from, so that an episode does not depend on the one before.
        self.mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:], self.data.qvel[:] = self.start(rng)
        self.derive()
        self.position = self.before = self.root()

    def act(self, action: Vector) -> None:
        """Hold an action `[size]`, within ± 1, for one step."""
        self.before = self.position
        self.data.ctrl[:] = action
        self.mujoco.mj_step(self.model, self.data, self.frame_skip)
        self.derive()
        self.position = self.root()

    def root(self) -> Float[np.ndarray, "2"]:
        """The first two coordinates of the state; x and y for a body that is free to move."""
        # A copy, for MuJoCo writes into its own arrays.
        return self.data.qpos[:2].copy()

    @abc.abstractmethod
    def start(self, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """Where an episode starts: positions `[nq]` and velocities `[nv]`."""

    @abc.abstractmethod
    def derive(self) -> None:
        """Compute from the state what `observe` and rewards read."""

    @abc.abstractmethod
    def observe(self) -> Vector:
        """What the agent sees, `[n]`."""

    @abc.abstractmethod
    def velocity(self) -> Vector:
        """How fast the last action moved it, in m/s: along x, or along x and y."""
