"""`quickstudy evaluate RUN`: many tasks never seen in training, with tables and pictures."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from quickstudy.errors import BadInput, demand_counts
from quickstudy.recipes import FewShot, MetaRL, Recipe, Shape, Source, find

if TYPE_CHECKING:
    from quickstudy.evaluation.tasks import Evaluation
    from quickstudy.learners.learner import Learner

TEST_SEED = 20_170_310
"""Decides the test tasks, whatever the training's seed: every run meets the same ones."""


@dataclass(frozen=True)
class Evaluate:
    """Test a trained run on tasks that it never saw."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder, or an exported file."""
    split: Literal["test", "validation", "train"] = "test"
    """Which classes to draw the tasks from."""
    episodes: int | None = None
    """How many tasks; the protocol's own number by default. The files of another number are named
    by it."""
    ways: int | None = None
    """N, classes per task; as trained by default."""
    shots: int | None = None
    """K, support examples per class; as trained by default."""
    queries: int | None = None
    """Query examples per class; as trained by default."""
    size: int | None = None
    """Of a policy in mazes: cells in a row; as trained by default."""
    updates: int | None = None
    """Of a policy that adapts by gradients: how many updates; as many as its recipe says by
    default."""
    later_lr: float | None = None
    """Of such a policy: the rate of every update after the first; as trained by default."""
    data: str | None = None
    """The folder that holds the data set; QUICKSTUDY_DATA by default."""
    on: str | None = None
    """Draw the tasks from the data of this recipe instead, for example prototypical-omniglot."""
    curves: bool = True
    """Also measure the accuracy for 1, 2, 3, 5 and 10 shots."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    options = tyro.cli(Evaluate, args=arguments, prog="quickstudy evaluate")
    counts = ("episodes", "ways", "shots", "queries", "size", "updates")
    given = {f"--{name}": getattr(options, name) for name in counts}
    demand_counts(**{name: value for name, value in given.items() if value is not None})
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.recipes.exports import load, load_recipe

    evaluate_run(load(options.run), load_recipe(options.run), options)


def evaluate_run(learned: Any, recipe: Recipe, options: Evaluate) -> Any:
    """Evaluate, print the table, and leave JSON and pictures beside the run."""
    recipe = _of_size(recipe, options.size)
    recipe, learned = _adapting(recipe, learned, options)
    if isinstance(recipe, FewShot):
        return _evaluate_learner(learned, recipe, options)
    if isinstance(recipe, MetaRL):
        from quickstudy.app.commands.evaluate_policy import evaluate_policy_run

        return evaluate_policy_run(learned, recipe, options)
    raise BadInput(
        f"recipe {recipe.name} is neither of learners that read examples (FewShot) nor of policies "
        "that act (MetaRL); derive it from one of them"
    )


def _of_size(recipe: Recipe, size: int | None) -> Recipe:
    """The recipe with mazes of another size, if one was asked for."""
    from quickstudy.recipes.rl2_grids import OnMazes

    if size is None:
        return recipe
    if not isinstance(recipe, OnMazes):
        raise BadInput(f"--size is for policies in mazes, and {recipe.name} trains none; leave it")
    return replace(recipe, size=size)


def _adapting(recipe: Recipe, learned: Any, options: Evaluate) -> tuple[Recipe, Any]:
    """The recipe and what was learned, with other updates, if they were asked for."""
    from quickstudy.recipes.maml_rl import WithMAML

    if options.updates is None and options.later_lr is None:
        return recipe, learned
    if not isinstance(recipe, WithMAML):
        raise BadInput(
            "--updates and --later-lr are for policies that adapt by gradients, and "
            f"{recipe.name} trains none; leave them out"
        )
    return recipe.tested_with(learned, options.updates, options.later_lr)


def _evaluate_learner(learner: "Learner", recipe: FewShot, options: Evaluate) -> "Evaluation":
    import jax

    from quickstudy.evaluation.tasks import evaluate
    from quickstudy.experiments.learner_result import LearnerResult

    tasks = _tasks(recipe, options)
    learner = recipe.for_test(learner)
    learner.check(_any_task(tasks))
    own_episodes = _data(recipe, options).test_episodes
    episodes = options.episodes or own_episodes
    key = jax.random.key(TEST_SEED)
    evaluation = evaluate(learner, tasks, episodes=episodes, key=key)
    curve = _shots_curve(learner, recipe, options) if options.curves else {}
    data = f"{data_name(_data(recipe, options))}, {_shape(tasks)}"
    result = LearnerResult(evaluation, curve, **noted(recipe, options, data))
    named = write(result, options, own_episodes)
    if evaluation.metric == "accuracy":
        _write_task(learner, tasks, key, named)
    return evaluation


def noted(recipe: Recipe, options: Evaluate, data: str) -> dict[str, Any]:
    """What a result says of its run."""
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()}
    del settings["episodes"]  # an evaluation tells them, given or not
    return {"recipe": recipe.name, "data": data, "split": options.split, "options": settings}


def write(result: Any, options: Evaluate, own_episodes: int) -> Path:
    """Print the table, and leave evaluation-NAME.json and a picture in the run's folder; gives
    FOLDER/NAME."""
    from rich.console import Console

    from quickstudy.app.report.plots import save_charts
    from quickstudy.checkpoint import write_json

    folder = options.run if options.run.is_dir() else options.run.parent
    Console().print(result.table(folder))
    named = folder / where(options, own_episodes)
    file = folder / f"evaluation-{named.name}"
    write_json(Path(f"{file}.json"), result.to_json())
    save_charts(result.charts(), result.headline.said, Path(f"{file}.png"))
    return named


def _write_task(learner: "Learner", tasks: Any, key: Any, named: Path) -> None:
    """A picture of the first task, if it is of images."""
    from quickstudy.app.report.plots import task_figure
    from quickstudy.experiments.pictures.seen import first_task
    from quickstudy.experiments.pictures.watch import save_png

    if (images := first_task(learner, tasks, key)) is not None:
        save_png(task_figure(images), named.parent / f"episode-{named.name}.png")


def data_name(recipe: FewShot) -> str:
    """The data set of a recipe, and its protocol."""
    name, protocol = recipe.name.rsplit("-")[-1], getattr(recipe, "protocol", "")
    return f"{name} ({protocol})" if protocol else name


def _shape(tasks: Any) -> str:
    """What a task holds."""
    from quickstudy.tasks.varying import Varying

    if isinstance(tasks, Varying):
        most = tasks.episodes
        return f"{tasks.ways}- to {most.ways}-way {tasks.shots}- to {most.shots}-shot"
    ways, shots = getattr(tasks, "ways", None), getattr(tasks, "shots", None)
    if ways is not None:
        return f"{ways}-way {shots}-shot"
    return f"{shots} support points" if shots is not None else type(tasks).__name__


def _data(recipe: FewShot, options: Evaluate) -> FewShot:
    """The recipe whose data the tasks come from."""
    if options.on is None:
        return recipe
    other = find(options.on)()
    if not isinstance(other, FewShot):
        raise BadInput(f"--on {options.on}: that recipe has no examples to classify or predict")
    if other.image != recipe.image:
        takes = "no images" if recipe.image is None else "images of {}×{}×{}".format(*recipe.image)
        raise BadInput(
            f"--on {options.on}: its examples do not fit {options.run}, whose learner takes "
            f"{takes}; name a recipe on data of that kind"
        )
    return other


def _tasks(recipe: FewShot, options: Evaluate, shots: int | None = None) -> Any:
    """The tasks: of the shape that was trained, unless another was asked for."""
    own = None if options.on is None else recipe
    ways, own_shots = (getattr(own, name, None) for name in ("ways", "shots"))
    shape = Shape(options.ways or ways, shots or options.shots or own_shots, options.queries)
    return _data(recipe, options).tasks(options.split, shape, Source(options.data))


def where(options: Evaluate, own_episodes: int) -> str:
    """Names what was asked for, so that one result never replaces another kind's.

    Args:
        options: what was asked for.
        own_episodes: how many tasks the protocol has, which need not be named.
    """
    shape = {
        "way": options.ways,
        "shot": options.shots,
        "query": options.queries,
        "cells": options.size,
        "updates": options.updates,
        "later-lr": options.later_lr,
    }
    parts = [f"{value}-{name}" for name, value in shape.items() if value is not None]
    if options.episodes not in (None, own_episodes):
        parts.append(f"{options.episodes}-episodes")
    on = [] if options.on is None else [f"on-{options.on}"]
    return "-".join([options.split, *parts, *on])


def _any_task(tasks: Any) -> Any:
    import equinox as eqx
    import jax

    return eqx.filter_eval_shape(tasks.sample, jax.random.key(0))


def _shots_curve(learner: "Learner", recipe: FewShot, options: Evaluate) -> dict[int, Any]:
    """Accuracy per number of shots, where the data and the learner allow it."""
    import jax

    from quickstudy.evaluation.tasks import evaluate

    curve = {}
    for shots in (1, 2, 3, 5, 10):
        try:
            tasks = _tasks(recipe, options, shots)
            learner.check(_any_task(tasks))
        except BadInput:
            continue  # too few items in a class for that many shots, or too many for the learner
        key = jax.random.key(TEST_SEED)
        episodes = min(options.episodes or 1000, 400)
        curve[shots] = evaluate(learner, tasks, episodes=episodes, key=key, path_steps=0).after
    return curve
