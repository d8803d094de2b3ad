"""The ant that runs in an unseen direction, or to an unseen place."""

import copy
import functools
from typing import Any

import numpy as np
from jaxtyping import Float

from quickstudy.envs.mujoco.body import TORSO, Body, Vector, load_model
from quickstudy.envs.mujoco.family import Family, never_ends
from quickstudy.errors import BadInput

Point = Float[np.ndarray, "2"]

HORIZON = 200
LOW, HIGH = 0.2, 1.0  # an ant whose root is not within these heights, in metres, has fallen
TOUCH = 0.0005  # what the sum of squared contact forces costs, each clipped to ± 1


class Ant(Body):
    """Gymnasium's ant: four legs of two joints each, free in space."""

    xml = "ant.xml"

    def derive(self) -> None:
        """All of it, with the forces of contacts, which MuJoCo computes only when asked."""
        self.mujoco.mj_forward(self.model, self.data)
        self.mujoco.mj_rnePostConstraint(self.model, self.data)

    @property
    def contacts(self) -> Vector:
        """Forces and torques on each of the 14 parts (the first is the world), within ± 1."""
        return np.clip(self.data.cfrc_ext, -1.0, 1.0).ravel()

    @property
    def touch(self) -> float:
        """What the contacts cost."""
        return TOUCH * float(self.contacts @ self.contacts)

    @property
    def fallen(self) -> bool:
        """Whether the root is too high or too low, or the simulation broke."""
        state = np.concatenate([self.data.qpos, self.data.qvel])
        return not (np.isfinite(state).all() and LOW <= self.data.qpos[2] <= HIGH)


class MAMLAnt(Ant):
    """As in MAML's code: 50 actions a second; speed and place are those of the centre of mass.

    Observations are `[125]`: positions, velocities, contacts, the torso's orientation as a matrix
    `[9]` and the centre of mass `[3]`. An episode starts crouched, with Gaussian noise of 0.01 in
    positions and 0.1 in velocities. rllab's model, which MAML used, has steps of 0.02 s and harder
    contacts than Gymnasium's: both are set here.
    """

    frame_skip = 1

    @classmethod
    def load(cls) -> Any:
        """With rllab's time step and contacts (`vendor/mujoco_models/ant.xml`)."""
        return _rllab_model(cls.xml)

    def start(self, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """Gaussian around the position that the model names."""
        model = self.model
        crouched = model.numeric("init_qpos").data
        return crouched + 0.01 * rng.normal(size=model.nq), 0.1 * rng.normal(size=model.nv)

    def derive(self) -> None:
        """And the velocity of the centre of mass."""
        super().derive()
        self.mujoco.mj_subtreeVel(self.model, self.data)

    def observe(self) -> Vector:
        """All of the state, contacts, orientation and centre of mass."""
        data = self.data
        torso = [data.xmat[TORSO], data.subtree_com[TORSO]]
        return np.concatenate([data.qpos, data.qvel, self.contacts, *torso])

    def velocity(self) -> Point:
        """Of the centre of mass, at this moment."""
        return self.data.subtree_linvel[TORSO, :2]

    def place(self) -> Point:
        """Of the centre of mass."""
        return self.data.subtree_com[TORSO, :2]


class PEARLAnt(Ant):
    """As in PEARL's code: 20 actions a second; speed and place are those of the torso.

    Observations are `[27]`: positions but x and y, and velocities. An episode starts upright, with
    noise U[−0.1, 0.1] in positions and Gaussian noise of 0.1 in velocities.
    """

    frame_skip = 5

    def start(self, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """Around the position in which the model is drawn."""
        model = self.model
        noise = rng.uniform(-0.1, 0.1, size=model.nq)
        return model.qpos0 + noise, 0.1 * rng.normal(size=model.nv)

    def observe(self) -> Vector:
        """All but where it is."""
        return np.concatenate([self.data.qpos[2:], self.data.qvel])

    def velocity(self) -> Point:
        """The mean over the last action."""
        return (self.position - self.before) / self.seconds

    def place(self) -> Point:
        """Of the torso."""
        return self.position


class PlacedPEARLAnt(PEARLAnt):
    """PEARL's ant for goals, which also sees where it is, and contacts: `[113]`."""

    def observe(self) -> Vector:
        """All of the state, and contacts."""
        return np.concatenate([self.data.qpos, self.data.qvel, self.contacts])


def forwards_or_backwards(rng: np.random.Generator) -> Point:
    """A unit vector along x, either way. The generator is consumed."""
    return np.array([rng.choice([-1.0, 1.0]), 0.0])


def any_direction(rng: np.random.Generator) -> Point:
    """A unit vector at an angle ~ U[0, 2π]. The generator is consumed."""
    angle = rng.uniform(0.0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def goal_in_square(rng: np.random.Generator) -> Point:
    """g ~ U[−3, 3]², in metres. The generator is consumed."""
    return rng.uniform(-3.0, 3.0, 2)


def goal_in_disc(rng: np.random.Generator) -> Point:
    """Uniform in the disc of radius 3 m. The generator is consumed."""
    # The square root, because the area within a radius grows with its square.
    return 3.0 * np.sqrt(rng.uniform()) * any_direction(rng)


def pay_direction_maml(body: MAMLAnt, action: Vector, task: Point) -> float:
    """d · v − 0.005 ‖a‖² − contacts + 0.05."""
    return float(task @ body.velocity() - 0.005 * action @ action) - body.touch + 0.05


def pay_goal_maml(body: MAMLAnt, action: Vector, task: Point) -> float:
    """4 − |s − g|₁ − 0.005 ‖a‖² − contacts + 0.05."""
    distance = np.abs(body.place() - task).sum()
    return float(4.0 - distance - 0.005 * action @ action) - body.touch + 0.05


def pay_direction_pearl(body: PEARLAnt, action: Vector, task: Point) -> float:
    """d · v − 0.5 ‖a‖² − contacts + 1."""
    return float(task @ body.velocity() - 0.5 * action @ action) - body.touch + 1.0


def pay_goal_pearl(body: PEARLAnt, action: Vector, task: Point) -> float:
    """−|s − g|₁ − 0.1 ‖a‖² − contacts."""
    distance = np.abs(body.place() - task).sum()
    return float(-distance - 0.1 * action @ action) - body.touch


def fell(body: Ant) -> bool:
    """The episode is over."""
    return body.fallen


DEFINITIONS = {
    ("direction", "maml"): (MAMLAnt, forwards_or_backwards, pay_direction_maml, fell),
    ("goal", "maml"): (MAMLAnt, goal_in_square, pay_goal_maml, fell),
    ("direction", "pearl"): (PEARLAnt, any_direction, pay_direction_pearl, fell),
    ("goal", "pearl"): (PlacedPEARLAnt, goal_in_disc, pay_goal_pearl, never_ends),
}


@functools.cache
def _rllab_model(xml: str) -> Any:
    # A copy, for PEARL's ants share the other.
    model = copy.copy(load_model(xml))
    model.opt.timestep = 0.02
    model.geom_solimp[:, :3] = 0.8, 0.8, 0.01
    return model


def ant(aim: str, version: str) -> Family:
    """Ant tasks, as a paper and its code define them; a task is a vector `[2]`.

    With c = 0.0005 Σ clip(forces and torques of contacts, ± 1)², and the action a within ± 1:

    direction, maml:   r = d · v − 0.005 ‖a‖² − c + 0.05,         d = (−1, 0) or (1, 0)
    goal, maml:        r = 4 − |s − g|₁ − 0.005 ‖a‖² − c + 0.05,  g ~ U[−3, 3]² m
    direction, pearl:  r = d · v − 0.5 ‖a‖² − c + 1,              d at an angle ~ U[0, 2π]
    goal, pearl:       r = −|s − g|₁ − 0.1 ‖a‖² − c,              g uniform in the disc of 3 m

    An episode has at most 200 steps: 4 s of simulated time under "maml", 10 s under "pearl". It
    ends where the ant fell or jumped, its root lower than 0.2 m or higher than 1 m, but never in
    PEARL's goal tasks. MAML's actions were torques within ± 150, and its code divides them by 150
    to price them; here they are within ± 1 from the start. Its contact forces come from another
    engine, and could not be compared.

    Args:
        aim: what a task asks for, "direction" or "goal".
        version: whose definition: "maml" (`MAMLAnt`) or "pearl" (`PEARLAnt`, `PlacedPEARLAnt`).

    Raises:
        BadInput: another aim or version.

    Example:
        >>> ant("goal", "pearl").sample_task(np.random.default_rng(0)).shape
        (2,)

    References:
        Finn, Abbeel and Levine (2017), https://arxiv.org/abs/1703.03400, section 5.3; its code is
        https://github.com/cbfinn/maml_rl, `ant_env_rand_direc.py` and `ant_env_rand_goal.py` in
        `rllab/envs/mujoco/`.
        Rakelly et al. (2019), https://arxiv.org/abs/1903.08254, section 6.1; its code is
        https://github.com/katerakelly/oyster, `ant_dir.py` and `ant_goal.py` in `rlkit/envs/`.
    """
    if (aim, version) not in DEFINITIONS:
        raise BadInput(f"aim and version are {aim!r}, {version!r}; give a pair of {[*DEFINITIONS]}")
    body, sample, reward, ended = DEFINITIONS[aim, version]
    return Family(body, sample, reward, ended, HORIZON, f"ant {aim}, {version}, v1")
