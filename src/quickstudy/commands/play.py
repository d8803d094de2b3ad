"""`quickstudy play RUN`: one trial of a trained policy, to be looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from quickstudy.errors import BadInput


@dataclass(frozen=True)
class Play:
    """Show one trial: the episodes of a grid or a game as a GIF, a bandit's pulls beside Gittins'
    as a picture."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder, or an exported file."""
    trial: int = 0
    """The number of the trial, among those that `quickstudy evaluate` meets."""
    split: Literal["test", "validation", "train"] = "test"
    """Which MDPs to draw it from."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    options = tyro.cli(Play, args=arguments, prog="quickstudy play")
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    import jax

    from quickstudy.commands.evaluate import TEST_SEED
    from quickstudy.recipes import MetaRL
    from quickstudy.recipes.exports import load, load_recipe
    from quickstudy.report.watch import show
    from quickstudy.rl.rl2 import trial_task

    recipe = load_recipe(options.run)
    if not isinstance(recipe, MetaRL):
        raise BadInput(
            f"{options.run} is a run of {recipe.name}, which does not act; its pictures are those "
            f"of quickstudy report {options.run}"
        )
    if options.trial < 0:
        raise BadInput(f"--trial is {options.trial}; give a whole number of 0 or more")
    trial, key = recipe.trial(options.split), jax.random.key(TEST_SEED)
    task = trial_task(trial, key, options.trial)
    folder = options.run if options.run.is_dir() else options.run.parent
    path = folder / f"play-{options.split}-{options.trial}"
    act_key = jax.random.fold_in(key, options.trial)
    print(f"wrote {show(load(options.run), trial, task, act_key, path)}")
