"""One trial, to be looked at: episodes side by side, pulls beside Gittins', paths in the plane."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PRNGKeyArray
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from quickstudy.envs.bandit import Bandit
from quickstudy.envs.drawing import Drawn
from quickstudy.envs.environment import MDPFamily
from quickstudy.envs.navigation import Plane
from quickstudy.errors import BadInput
from quickstudy.oracles.bandits import play_bandits
from quickstudy.oracles.gittins import Gittins
from quickstudy.rl.policy import Actor
from quickstudy.rl.trial import Trial
from quickstudy.writing import write_atomically

ENLARGED, MARGIN, CAPTION = 2, 12, 18  # grids' pixels, and the space around them
MILLISECONDS, PAUSE = 250, 2500
POLICY, ORACLE, PAPER = "#1f4e9c", "#1a7f37", (255, 255, 255)


@dataclass(frozen=True)
class Episode:
    """What happened in one episode.

    Attributes:
        states: the environment's states, the first included: one more than actions.
        actions: a_t.
        rewards: r_t.
    """

    states: list[Any]
    actions: list[Any]
    rewards: list[float]


def watch(actor: Actor, trial: Trial, task: Any, key: PRNGKeyArray) -> list[Episode]:
    """Act through one trial step by step, and keep the environment's states.

    Args:
        actor: a policy or an oracle.
        trial: how many episodes, in which family.
        task: M_i.
        key: consumed.
    """

    @eqx.filter_jit
    def step(state: Any, place: Any, seen: Any, key: PRNGKeyArray) -> Any:
        act_key, step_key = jax.random.split(key)
        state, action, _ = actor.act(state, seen, key=act_key)
        return state, *trial.step(step_key, place, action, task), action

    key, begin_key = jax.random.split(key)
    state = actor.begin(task)
    place, seen = trial.begin(begin_key, task)
    episodes = [Episode([place.state], [], [])]
    while True:
        key, now = jax.random.split(key)
        state, place, seen, outcome, action = step(state, place, seen, now)
        last = episodes[-1]
        last.actions.append(np.asarray(action))
        last.rewards.append(float(outcome.reward))
        last.states.append(outcome.state)
        if bool(trial.over(place)):
            return episodes
        if bool(outcome.done):
            episodes.append(Episode([place.state], [], []))


def stage_names(stage: str, count: int) -> list[str]:
    """The names of so many stages, in pictures.

    Args:
        stage: "episode", or "update" for a policy that adapts by gradients.
        count: how many there are.

    Example:
        >>> stage_names("episode", 2)
        ['episode 1', 'episode 2']
        >>> stage_names("update", 3)
        ['before any update', 'after update 1', 'after update 2']
    """
    if stage == "update":
        return ["before any update", *(f"after update {n}" for n in range(1, count))]
    return [f"episode {n + 1}" for n in range(count)]


def show(
    environment: MDPFamily,
    task: Any,
    episodes: list[Episode],
    path: Path,
    stage: str = "episode",
) -> Path:
    """Write what a trial looked like: a GIF of a grid, a PNG of a bandit or of paths.

    Args:
        environment: the family.
        task: M_i.
        episodes: what `watch` returned.
        path: without a suffix.
        stage: what an episode is: an "episode" of a trial, or after an "update".

    Returns:
        the file.

    Raises:
        BadInput: there is no picture of this family.
    """
    names = stage_names(stage, len(episodes))
    if not isinstance(environment, Drawn | Bandit | Plane):
        raise BadInput(
            f"there is no picture of a {type(environment).__name__}; bandits, grids and "
            "navigation can be shown"
        )
    if isinstance(environment, Drawn):
        return save_gif(animation(environment, task, episodes, names), path.with_suffix(".gif"))
    if isinstance(environment, Bandit):
        figure = pulls(episodes, task) if stage == "episode" else pulls_by_update(episodes, task)
    else:
        figure = paths(episodes, task, names)
    return save_png(figure, path.with_suffix(".png"))


def animation(
    environment: Drawn, task: Any, episodes: list[Episode], names: list[str]
) -> list[Image.Image]:
    """The episodes of a drawn family."""
    drawn = [
        [np.asarray(environment.frame(state, task)) for state in episode.states]
        for episode in episodes
    ]
    larger = [[frame.repeat(ENLARGED, 0).repeat(ENLARGED, 1) for frame in one] for one in drawn]
    return side_by_side(larger, [episode.rewards for episode in episodes], names)


def side_by_side(
    filmed: list[list[Any]], rewards: list[list[float]], names: list[str]
) -> list[Image.Image]:
    """Episodes beside each other, all beginning together; one that is over stands still.

    Args:
        filmed: each episode's frames, `[height, width, 3]` of bytes.
        rewards: each episode's rewards; before frame t it has earned the first t.
        names: what each is called.
    """
    longest = max(len(frames) for frames in filmed)
    height, width = filmed[0][0].shape[:2]
    size = (len(filmed) * (width + MARGIN) + MARGIN, height + CAPTION + 2 * MARGIN)
    images = []
    for time in range(longest):
        image = Image.new("RGB", size, PAPER)
        pen = ImageDraw.Draw(image)
        for number, (frames, paid, name) in enumerate(zip(filmed, rewards, names, strict=True)):
            left = MARGIN + number * (width + MARGIN)
            now = min(time, len(frames) - 1)
            image.paste(Image.fromarray(frames[now]), (left, MARGIN + CAPTION))
            earned = sum(paid[:now])
            pen.text((left, MARGIN // 2), f"{name}: {earned:+.2f}", fill=(30, 30, 30))
        images.append(image)
    return images


def save_gif(images: list[Image.Image], path: Path, milliseconds: int = MILLISECONDS) -> Path:
    """Write an animation that repeats, with a pause at its end."""
    buffer = io.BytesIO()
    times = [milliseconds] * (len(images) - 1) + [PAUSE]
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0)
    # Through memory, so that the file is there whole or not at all.
    write_atomically(path, buffer.getvalue())
    return path


def save_png(figure: Figure, path: Path) -> Path:
    """Write a figure, whole or not at all."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_atomically(path, buffer.getvalue())
    return path


def pulls(episodes: list[Episode], task: Any) -> Figure:
    """Which arm was pulled when, by the policy and by Gittins indices; the best arm on top."""
    n, rank = len(episodes), _ranks(task)
    tasks = jax.tree.map(lambda x: x[None], task)
    played = play_bandits(Gittins.of(n), tasks, n, key=jax.random.key(0))
    theirs = rank[np.asarray(played.arms)[0]]
    figure = Figure(figsize=(9, 0.9 + 0.22 * max(len(rank), 8)), layout="constrained")
    columns = figure.subplots(1, 2, sharey=True)
    paid = sum(episode.rewards[0] for episode in episodes)
    mine = _pulled(episodes, rank)
    luck = "Gittins, with luck of its own"
    both = (("policy", mine, POLICY, paid), (luck, theirs, ORACLE, float(played.total[0])))
    for axes, (name, arms, colour, total) in zip(columns, both, strict=True):
        axes.scatter(range(1, n + 1), arms, s=10, color=colour)
        axes.set_title(f"{name}: total reward {total:.0f}", fontsize=10)
        axes.set_xlabel("pull")
        _name_arms(axes, task)
    columns[1].set_ylabel("")
    return figure


def pulls_by_update(episodes: list[Episode], task: Any) -> Figure:
    """Which arm one pull was of, before any update and after each; the best arm on top."""
    rank = _ranks(task)
    figure = Figure(figsize=(5, 0.9 + 0.22 * max(len(rank), 8)), layout="constrained")
    axes = figure.subplots()
    axes.scatter(range(len(episodes)), _pulled(episodes, rank), s=10, color=POLICY)
    axes.set_xlabel("updates")
    axes.set_xticks(range(len(episodes)))
    _name_arms(axes, task)
    return figure


def _ranks(task: Any) -> Any:
    """How many arms pay less often than each."""
    return np.argsort(np.argsort(np.asarray(task.p)))


def _pulled(episodes: list[Episode], rank: Any) -> list[Any]:
    return [rank[int(episode.actions[0])] for episode in episodes]


def _name_arms(axes: Any, task: Any) -> None:
    p = np.sort(np.asarray(task.p))
    axes.set_yticks(range(len(p)), [f"{value:.2f}" for value in p])
    axes.set_ylabel("arm, by its probability to pay")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def paths(episodes: list[Episode], task: Any, names: list[str]) -> Figure:
    """Where each episode went in the plane, and the goal."""
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    for number, episode in enumerate(episodes):
        xy = np.stack([np.asarray(state) for state in episode.states])
        shade = 0.3 + 0.7 * (number + 1) / len(episodes)
        label = f"{names[number]}: {sum(episode.rewards):.2f}"
        axes.plot(*xy.T, color=POLICY, alpha=shade, lw=1 + shade, label=label)
    goal = np.asarray(task.position)
    axes.plot(*goal, "*", ms=14, color=ORACLE, label="goal")
    axes.plot(0, 0, "o", ms=5, color="#57606a")
    axes.set_aspect("equal", "datalim")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
