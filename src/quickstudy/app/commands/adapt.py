"""`quickstudy adapt RUN --support FOLDER --query FOLDER`: your own images."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from quickstudy.app.flags import demand_read, flags_of, parse, value_of
from quickstudy.app.running import first_argument
from quickstudy.errors import BadInput

if TYPE_CHECKING:
    from quickstudy.learners.learner import Learner
    from quickstudy.tasks.task import Task


@dataclass(frozen=True)
class AdaptOptions:
    """Which images."""

    support: Path | None = None
    """The labelled images: one sub-folder per class, with one or more images each."""
    query: Path | None = None
    """The images to classify: a folder, with or without sub-folders."""
    json: Path | None = None
    """Also write the answers to this file."""
    ink: Literal["auto", "dark", "light"] = "auto"
    """Whether drawings are dark on light paper or light on dark; `auto` looks at the borders."""
    recipe: str | None = None
    """PATH.py:NAME of the code of your own that the run was made with."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    run, rest = first_argument(arguments, "adapt RUN", AdaptOptions)
    flags, about = flags_of(AdaptOptions()), "Classify your own images by a trained learner."
    demand_read(flags, rest, {})
    options = AdaptOptions(**parse(flags, rest, prog=f"quickstudy adapt {run}", description=about))
    from quickstudy.experiments.saved import load_recipe, opened

    recipe = load_recipe(run, value_of("recipe", rest))
    image = getattr(recipe.problem, "inputs", ())
    if len(image) != 3:
        raise BadInput(
            f"{run} is a run of {recipe.name}, which takes no images; give a run of a "
            "recipe on images, such as prototypical-omniglot"
        )
    if options.support is None or options.query is None:
        raise BadInput("give --support FOLDER, with one sub-folder per class, and --query FOLDER")
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    recipe, learned = opened(run, options.recipe)
    method: Any = recipe.method
    ways = getattr(recipe.problem, "ways", None)
    folders = (options.support, options.query)
    answers = classify(method.for_test(learned), folders, image, ways=ways, ink=options.ink)
    _print(answers)
    if options.json is not None:
        from quickstudy.checkpoint import write_json

        write_json(options.json, answers)


def classify(
    learner: "Learner",
    folders: tuple[Path, Path],
    image: tuple[int, int, int],
    *,
    ways: int | None = None,
    ink: str = "auto",
) -> list[dict[str, Any]]:
    """Adapt to the support folder and answer for each query image.

    Args:
        learner: trained.
        folders: of the support set and of the queries.
        image: height, width and channels that the learner takes.
        ways: how many classes it was trained for. If it cannot take fewer, the others are not
            present: their outputs count neither in the loss nor in the answers.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from quickstudy.learners.losses import possible
    from quickstudy.tasks.folders import image_folder, query_images
    from quickstudy.tasks.task import Examples, Task, as_inputs

    height, width, channels = image
    how: Any = {"size": (height, width), "channels": channels, "ink": ink}
    classes = image_folder(folders[0], **how)
    files, images = query_images(folders[1], **how)
    queries = Examples(as_inputs(jnp.asarray(images)), jnp.zeros(len(images), int), len(classes))
    task = _taken(learner, Task(classes.examples(), queries), ways)
    outputs = possible(learner.adapt(task.support)(task.query.x), task.query)
    probabilities = jax.nn.softmax(outputs, -1)[:, : len(classes)]
    return [
        {
            "image": str(file),
            "class": classes.names[int(row.argmax())],
            "probability": round(float(row.max()), 4),
            "probabilities": dict(
                zip(classes.names, (round(float(p), 4) for p in row), strict=True)
            ),
        }
        for file, row in zip(files, np.asarray(probabilities), strict=True)
    ]


def _taken(learner: "Learner", task: "Task", ways: int | None) -> "Task":
    """The task as the learner can take it: among more classes, if it has outputs for more."""
    try:
        learner.check(task)
    except BadInput:
        if ways is None or task.query.outputs >= ways:
            raise
        task = type(task)(task.support.among(ways), task.query.among(ways))
        learner.check(task)
    return task


def _print(answers: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ("image", "class", "probability"):
        table.add_column(column, overflow="fold")  # a name that is cut off names nothing
    for answer in answers:
        table.add_row(answer["image"], answer["class"], f"{answer['probability']:.1%}")
    Console().print(table)
