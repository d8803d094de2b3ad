"""A trial on the host, filmed with the environment's own camera."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PRNGKeyArray
from PIL import Image

from quickstudy.envs.host import HostEnvironment, HostStep
from quickstudy.envs.host_family import HostFamily
from quickstudy.envs.vector import HostVector
from quickstudy.errors import BadInput
from quickstudy.experiments.pictures.watch import save_gif, side_by_side, stage_names
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.policy import Actor
from quickstudy.rl.trial import Trial

WIDTH = 240  # of an episode's frames, at most
FRAMES = 60  # of an episode, at most
MILLISECONDS = 60


class Filmed(HostEnvironment):
    """One copy, which is photographed before each step; `make` must take a `render_mode`."""

    def __init__(self, host: Any) -> None:
        make = functools.partial(host.make, render_mode="rgb_array")
        super().__init__(make, host.sample_task, host.set_task, 1, host.horizon)
        self.frames: list[Any] = []

    def step(self, actions: np.ndarray) -> HostStep:
        """Photograph, and act."""
        self.frames.append(self._frame())
        return super().step(actions)

    def _frame(self) -> Any:
        environment = self.environments[0]
        name = type(getattr(environment, "unwrapped", environment)).__name__
        try:
            frame = environment.render()
        except Exception as error:  # a camera that is missing is no reason to end with a traceback
            missing = isinstance(error, NotImplementedError)
            has_none = "it has no method render" if missing else "it has no camera"
            why = str(error) or f"{has_none}; let make(render_mode) pass render_mode on"
            raise BadInput(f"{name} could not be drawn: {why}") from error
        if not isinstance(frame, np.ndarray):
            raise BadInput(
                f"{name} could not be drawn: render returned {type(frame).__name__}; make "
                "it with render_mode='rgb_array'"
            )
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] not in (3, 4):
            raise BadInput(
                f"{name} could not be drawn: render returned {frame.dtype} of shape "
                f"{frame.shape}; return uint8, from 0 to 255, of shape [height, width, 3]"
            )
        if not frame.size:
            raise BadInput(f"{name} could not be drawn: a frame has the shape {frame.shape}")
        # A copy, for an environment may draw each frame into the same array.
        return frame[..., :3].copy()


def film(
    actor: Actor, trial: Trial, key: PRNGKeyArray, number: int
) -> tuple[list[list[Any]], list[list[float]]]:
    """The frames and the rewards of each episode of one trial on the host.

    Args:
        actor: a policy.
        trial: of a `HostFamily`.
        key: consumed; that of an evaluation, whose trial of that number this is.
        number: which trial.

    Raises:
        BadInput: the environment has no picture.
    """
    family = trial.environment
    if not isinstance(family, HostFamily):
        raise BadInput(f"a {type(family).__name__} is compiled; use watch and show")
    if isinstance(family.host, HostVector):
        raise BadInput(
            "copies that step together have no camera of one of them; leave make_vector out of the "
            "family to film it: make() and set_task(env, task) give the same episodes"
        )
    with Filmed(family.host) as camera:
        path = host_rollouts(actor, Trial(HostFamily(camera), trial.episodes), key, 1, first=number)
    frames, rewards = [], []
    for episode in range(trial.episodes):
        mine = np.flatnonzero((path.episode[0] == episode) & path.real[0])
        frames.append([camera.frames[time] for time in mine])
        rewards.append([float(path.reward[0, time]) for time in mine])
    return frames, rewards


def show_film(
    filmed: tuple[list[list[Any]], list[list[float]]], path: Path, stage: str = "episode"
) -> Path:
    """Write the first and the last episode side by side as a GIF; of a policy that adapts by
    updates also that after one, between them.

    Args:
        filmed: what `film` returned.
        path: without a suffix.
        stage: what an episode is: an "episode" of a trial, or after an "update".

    Returns:
        the file.
    """
    last = len(filmed[0]) - 1
    ends = sorted({0, min(1, last), last} if stage == "update" else {0, last})
    frames, rewards = ([episodes[n] for n in ends] for episodes in filmed)
    skip = max(1, -(-max(map(len, frames)) // FRAMES))
    fewer = [[_small(frame) for frame in one[::skip]] for one in frames]
    # Frames are left out, and their rewards are not.
    summed = [[sum(one[t : t + skip]) for t in range(0, len(one), skip)] for one in rewards]
    names = stage_names(stage, len(filmed[0]))
    images = side_by_side(fewer, summed, [names[n] for n in ends])
    return save_gif(images, path.with_suffix(".gif"), MILLISECONDS)


def _small(frame: Any) -> Any:
    height, width = frame.shape[:2]
    size = (min(width, WIDTH), max(1, round(height * min(width, WIDTH) / width)))
    return np.asarray(Image.fromarray(frame).resize(size))
