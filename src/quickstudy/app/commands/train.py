"""`quickstudy train`: meta-train by a recipe, then test on unseen classes."""

import dataclasses
import inspect
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from quickstudy.errors import BadInput
from quickstudy.recipes import DEFAULT, Recipe, Source, find, from_json

if TYPE_CHECKING:
    from quickstudy.progress import Reporter


@dataclasses.dataclass(frozen=True)
class Options:
    """What is no part of the recipe: where things are, and what to do afterwards."""

    run: Path | None = None
    """The folder for checkpoints, metrics and results; runs/RECIPE-DATE by default."""
    resume: Path | None = None
    """Continue the run in this folder, with its own settings; of them, --steps alone may be raised,
    to train it for longer."""
    data: str | None = None
    """The folder that holds the data set; QUICKSTUDY_DATA by default."""
    test: bool = True
    """Test on unseen classes when training ends."""
    tensorboard: bool = False
    """Also write TensorBoard files; needs the extra `quickstudy[tensorboard]`."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    base, rest = _base(arguments)
    recipe, options = _parse(base, rest)
    if options.resume is not None and recipe != base:
        _demand_only_longer(base, recipe, options.resume)
    _train(recipe, options)


def _demand_only_longer(base: Recipe, recipe: Recipe, run: Path) -> None:
    changed = [
        f"--{f.name.replace('_', '-')}"
        for f in dataclasses.fields(base)
        if getattr(recipe, f.name) != getattr(base, f.name)
    ]
    if changed != ["--steps"]:
        raise BadInput(
            f"{', '.join(changed)} differ from the run in {run}; leave them out to resume it, or "
            "start a new run"
        )
    if recipe.steps < base.steps:
        raise BadInput(
            f"--steps {recipe.steps} is less than the {base.steps} of the run in {run}, which can "
            "be made longer and not shorter; quickstudy evaluate tests what it has learned so far"
        )


def _base(arguments: list[str]) -> tuple[Recipe, list[str]]:
    """The recipe whose settings are the defaults, and the arguments without its name."""
    named = arguments[0] if arguments and not arguments[0].startswith("-") else None
    rest = arguments[1:] if named else arguments
    resumed = _value_of("--resume", rest)
    if resumed is None:
        return (find(named) if named else DEFAULT)(), rest
    from quickstudy.runs import Run

    recipe = from_json(Run.open(resumed).recipe)
    if named is not None and find(named) is not type(recipe):
        raise BadInput(
            f"{resumed} is a run of {recipe.name}, not of {named}; leave the recipe's name out"
        )
    return recipe, rest


def _value_of(flag: str, arguments: list[str]) -> str | None:
    for i, here in enumerate(arguments):
        if here == flag:
            return "".join(arguments[i + 1 : i + 2])
        if here.startswith(f"{flag}="):
            return here.removeprefix(f"{flag}=")
    return None


def _parse(base: Recipe, arguments: list[str]) -> tuple[Recipe, Options]:
    together: Any = dataclasses.make_dataclass(
        "Train",
        [
            ("recipe", Annotated[type(base), tyro.conf.arg(name="")], base),
            ("options", Annotated[Options, tyro.conf.arg(name="")], Options()),
        ],
        frozen=True,
    )
    description = (
        f"{inspect.getdoc(type(base))}\n\nMust reach {base.reaches}; takes {base.takes}. "
        f"Source: {base.source}. `quickstudy recipes` lists all recipes."
    )
    parsed = tyro.cli(
        together, args=arguments, prog=f"quickstudy train {base.name}", description=description
    )
    return parsed.recipe, parsed.options


def _train(recipe: Recipe, options: Options) -> None:
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.app.commands.evaluate import Evaluate, evaluate_run
    from quickstudy.progress import CountingBar
    from quickstudy.runs import Run

    with CountingBar() as progress:
        source = Source(options.data, progress)
        train = recipe.training(source)
    folder = options.resume or options.run or _folder(recipe)
    report = _reporter(folder, options)
    settings = recipe.to_json()
    run = Run.open(folder).lengthened(settings) if options.resume else Run.create(folder, settings)
    print(f"training {recipe.name} in {run.folder}", file=sys.stderr)
    learned = train(run=run, report=report)
    if options.test:
        evaluate_run(learned, recipe, Evaluate(run.folder, data=options.data, curves=False))


def _folder(recipe: Recipe) -> Path:
    name = Path(recipe.name).name.replace(".py:", "-")
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"


def _reporter(folder: Path, options: Options) -> "Reporter":
    from quickstudy.progress import Bar, Both, Lines, TensorBoard

    screen = Bar() if sys.stderr.isatty() else Lines()
    return Both(screen, TensorBoard(folder)) if options.tensorboard else screen
