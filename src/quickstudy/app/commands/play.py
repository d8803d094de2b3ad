"""`quickstudy play RUN`: one trial of a trained policy, to be looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from quickstudy.errors import BadInput
from quickstudy.recipes import MetaRL
from quickstudy.recipes.recipe import Split


@dataclass(frozen=True)
class Play:
    """Show one trial: the episodes of a grid, a game or a body as a GIF, a bandit's pulls beside
    Gittins', or paths in the plane, as a picture; of MAML, one episode before and after updates."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder, or an exported file."""
    trial: int = 0
    """The number of the trial, among those that `quickstudy evaluate` meets."""
    split: Split = "test"
    """Which MDPs to draw it from."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    options = tyro.cli(Play, args=arguments, prog="quickstudy play")
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.recipes.exports import load_recipe

    recipe = load_recipe(options.run)
    if not isinstance(recipe, MetaRL):
        raise BadInput(
            f"{options.run} is a run of {recipe.name}, which does not act; its pictures are those "
            f"of quickstudy report {options.run}"
        )
    if options.trial < 0:
        raise BadInput(f"--trial is {options.trial}; give a whole number of 0 or more")
    print(f"wrote {play_trial(options.run, recipe, split=options.split, number=options.trial)}")


def play_trial(run: Path, recipe: MetaRL, *, split: Split = "test", number: int = 0) -> Path:
    """Act through the trial of that number, and leave its picture beside the run.

    Raises:
        BadInput: there is no picture of this family.
    """
    import jax

    from quickstudy.app.commands.evaluate import TEST_SEED
    from quickstudy.experiments.pictures.film import show_film
    from quickstudy.experiments.pictures.watch import show
    from quickstudy.recipes.exports import load
    from quickstudy.recipes.on_host import OnHost
    from quickstudy.rl.rl2 import trial_task

    trial, key = recipe.trial(split), jax.random.key(TEST_SEED)
    folder = run if run.is_dir() else run.parent
    path = folder / f"play-{split}-{number}"
    if isinstance(recipe, OnHost):
        return show_film(recipe.filming(load(run), trial, key, number), path, recipe.stage)
    task = trial_task(trial, key, number)
    # The first half of it has drawn the task.
    acting = jax.random.split(jax.random.fold_in(key, number))[1]
    episodes = recipe.watching(load(run), trial, task, acting)
    return show(trial.environment, task, episodes, path, recipe.stage)
