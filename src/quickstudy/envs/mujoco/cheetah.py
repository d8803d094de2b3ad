"""The half-cheetah that runs at an unseen speed, or in an unseen direction."""

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from quickstudy.envs.mujoco.body import TORSO, Body, Vector
from quickstudy.envs.mujoco.family import Family, never_ends
from quickstudy.errors import BadInput

AIMS = ("velocity", "direction")
EFFORT = 0.05  # what the sum of squared actions costs, in all versions: 0.5 × 0.1 in their code
HORIZON = 200


class Cheetah(Body):
    """Gymnasium's half-cheetah: 6 joints in a plane, 14 kg. The agent never sees its x.

    Its model has the same bodies, joints, motors and time step, 0.01 s, as that of rllab, which
    MAML used (`vendor/mujoco_models/half_cheetah.xml` in https://github.com/rll/rllab).
    """

    xml = "half_cheetah.xml"

    def observe(self) -> Vector:
        """Positions but x, and velocities."""
        return np.concatenate([self.data.qpos[1:], self.data.qvel])


class MAMLCheetah(Cheetah):
    """As in MAML's code: 100 actions a second; the speed is that of the centre of mass.

    rllab calls the speed `comvel`, and computes it from each part's velocity and mass: this is
    MuJoCo's `subtree_linvel`. Observations are `[20]`: the centre of mass `[3]` comes last, so
    here x is seen after all. An episode starts at rest, with Gaussian noise of 0.01 in positions
    and 0.1 in velocities.
    """

    frame_skip = 1

    def start(self, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """Gaussian around rest."""
        model = self.model
        return model.qpos0 + 0.01 * rng.normal(size=model.nq), 0.1 * rng.normal(size=model.nv)

    def derive(self) -> None:
        """The centre of mass and its velocity, and nothing else: no forces, no contacts."""
        engine, model, data = self.mujoco, self.model, self.data
        engine.mj_kinematics(model, data)
        engine.mj_comPos(model, data)
        engine.mj_comVel(model, data)
        engine.mj_subtreeVel(model, data)

    def observe(self) -> Vector:
        """And the centre of mass."""
        return np.concatenate([super().observe(), self.data.subtree_com[TORSO]])

    def velocity(self) -> Float[np.ndarray, "1"]:
        """Of the centre of mass, at this moment."""
        return self.data.subtree_linvel[TORSO, :1]


class ProMPCheetah(Cheetah):
    """As in ProMP's code: 20 actions a second; the speed is how far the root came, by the time.

    Observations are `[17]`. An episode starts at rest, with noise U[−0.1, 0.1] in positions and
    Gaussian noise of 0.1 in velocities.
    """

    frame_skip = 5

    def start(self, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """Around rest."""
        model = self.model
        noise = rng.uniform(-0.1, 0.1, size=model.nq)
        return model.qpos0 + noise, 0.1 * rng.normal(size=model.nv)

    def derive(self) -> None:
        """Nothing: all that is read belongs to the state."""

    def velocity(self) -> Float[np.ndarray, "1"]:
        """The mean over the last action."""
        return (self.position[:1] - self.before[:1]) / self.seconds


class VariBADCheetah(ProMPCheetah):
    """As in the codes of PEARL and VariBAD: ProMP's, which also sees the torso's position `[3]`, so
    `[20]`."""

    def derive(self) -> None:
        """Where the parts are."""
        self.mujoco.mj_kinematics(self.model, self.data)

    def observe(self) -> Vector:
        """And the torso."""
        return np.concatenate([super().observe(), self.data.xpos[TORSO]])


BODIES: dict[str, type[Cheetah]] = {
    "maml": MAMLCheetah,
    "promp": ProMPCheetah,
    "pearl": VariBADCheetah,
    "varibad": VariBADCheetah,
}
FASTEST = {"maml": 2.0, "promp": 3.0, "pearl": 3.0, "varibad": 3.0}  # m/s


def some_velocity(rng: np.random.Generator, fastest: float) -> float:
    """v* ~ U[0, fastest]. The generator is consumed."""
    return float(rng.uniform(0.0, fastest))


def some_direction(rng: np.random.Generator) -> float:
    """1 (forwards) or −1 (backwards), equally likely. The generator is consumed."""
    return float(rng.choice([-1.0, 1.0]))


def pay_velocity(body: Cheetah, action: Vector, task: float) -> float:
    """−|v − v*| − 0.05 ‖a‖²."""
    return -abs(body.velocity()[0] - task) - EFFORT * float(action @ action)


def pay_direction(body: Cheetah, action: Vector, task: float) -> float:
    """d v − 0.05 ‖a‖²."""
    return task * body.velocity()[0] - EFFORT * float(action @ action)


def cheetah(aim: str, version: str) -> Family:
    """Half-cheetah tasks, as a paper and its code define them; a task is one number.

    velocity:   r = −|v − v*| − 0.05 ‖a‖²,   v* ~ U[0, 2] m/s (maml) or U[0, 3] (the others)
    direction:  r = d v − 0.05 ‖a‖²,         d = −1 or 1

    An episode has 200 steps and never ends before: 2 s of simulated time under "maml", 10 s
    under the others. They differ in what v is and in what is seen, too; "pearl" and "varibad" are
    the same.

    Args:
        aim: what a task asks for, "velocity" or "direction".
        version: whose definition: "maml" (`MAMLCheetah`), "promp" (`ProMPCheetah`), "pearl" or
            "varibad" (`VariBADCheetah`). For other lengths: `dataclasses.replace(family,
            horizon=100)`.

    Raises:
        BadInput: another aim or version.

    Example:
        >>> family = cheetah("velocity", "maml")
        >>> 0 < family.sample_task(np.random.default_rng(0)) < 2, family.horizon
        (True, 200)

    References:
        Finn, Abbeel and Levine (2017), https://arxiv.org/abs/1703.03400, section 5.3 (ranges and
        H); its code is https://github.com/cbfinn/maml_rl, `half_cheetah_env_rand.py` and
        `half_cheetah_env_rand_direc.py` in `rllab/envs/mujoco/`.
        Rothfuss et al. (2019), https://arxiv.org/abs/1810.06784; its code is
        https://github.com/jonasrothfuss/ProMP, `half_cheetah_rand_vel.py` and
        `half_cheetah_rand_direc.py` in `meta_policy_search/envs/mujoco_envs/`.
        Rakelly et al. (2019), https://arxiv.org/abs/1903.08254; its code is
        https://github.com/katerakelly/oyster, `half_cheetah_vel.py` and `half_cheetah_dir.py` in
        `rlkit/envs/`.
        Zintgraf et al. (2020), https://arxiv.org/abs/1910.08348; its code is
        https://github.com/lmzintgraf/varibad, `environments/mujoco/half_cheetah.py`.
    """
    if version not in BODIES:
        raise BadInput(f"version is {version!r}; give one of {[*BODIES]}")
    if aim not in AIMS:
        raise BadInput(f"aim is {aim!r}; give one of {AIMS}")
    sample: Callable[[np.random.Generator], float] = {
        "velocity": functools.partial(some_velocity, fastest=FASTEST[version]),
        "direction": some_direction,
    }[aim]
    reward = {"velocity": pay_velocity, "direction": pay_direction}[aim]
    definition = f"half-cheetah {aim}, {version}, v1"
    return Family(BODIES[version], sample, reward, never_ends, HORIZON, definition)
