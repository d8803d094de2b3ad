"""`quickstudy play RUN`: one trial of a trained policy, to be looked at."""

from dataclasses import dataclass
from typing import Literal

from quickstudy.app.flags import demand_read, flags_of, parse
from quickstudy.app.running import first_argument
from quickstudy.errors import BadInput
from quickstudy.experiments.settings import MOST


@dataclass(frozen=True)
class PlayOptions:
    """Which trial is shown."""

    trial: int = 0
    """The number of the trial, among those that `quickstudy evaluate` meets."""
    split: Literal["test", "validation", "train"] = "test"
    """Which MDPs to draw it from."""
    greedy: bool = False
    """Always take the policy's likeliest action, where training and tests draw one."""
    recipe: tuple[str, ...] = ()
    """PATH.py:NAME of the code of your own that the run was made with; several, if it is
    in several files."""


ABOUT = (
    "Show one trial: the episodes of a grid, a game or a body as a GIF, a bandit's pulls beside "
    "Gittins', or paths in the plane, as a picture; of MAML, one episode before and after updates."
)


def main(arguments: list[str]) -> None:
    """Parse and run."""
    run, rest = first_argument(arguments, "play RUN", PlayOptions, ABOUT)
    flags = flags_of(PlayOptions())
    demand_read(flags, rest, {})
    asked = PlayOptions(**parse(flags, rest, prog=f"quickstudy play {run}", description=ABOUT))
    if not 0 <= asked.trial < MOST:
        raise BadInput(f"--trial is {asked.trial}; give a whole number from 0, below {MOST}")
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.experiments.saved import opened

    recipe, learned = opened(run, asked.recipe)
    folder = run if run.is_dir() else run.parent
    if asked.greedy and not recipe.method.acts_greedily:
        raise BadInput(
            f"{recipe.method.name} has no use for --greedy: it learns from examples, and does not "
            "act; leave it out"
        )
    path = folder / f"play-{asked.split}-{asked.trial}{'-greedy' * asked.greedy}"
    trial = (asked.split, asked.trial)
    acts = "greedy" if asked.greedy else "drawn"
    act = recipe.method.play
    print(f"wrote {act(recipe.problem, learned, recipe.budget, trial, path, acts)}")
