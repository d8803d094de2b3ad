"""`quickstudy train`: meta-train by a recipe, or a method on a problem, then test."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickstudy.app.flags import Flag, flags_of, value_of, values_of
from quickstudy.app.pairing import named_recipe, with_arguments
from quickstudy.app.running import demand_data
from quickstudy.errors import BadInput
from quickstudy.experiments.own import is_file, scope_of
from quickstudy.experiments.problem import Source
from quickstudy.experiments.recipe import Recipe, from_json

if TYPE_CHECKING:
    from quickstudy.progress import Reporter
    from quickstudy.runs import Run


@dataclass(frozen=True)
class TrainOptions:
    """What is no part of the recipe: where things are, and what to do afterwards."""

    on: str | None = None
    """The problem to learn: a name from `quickstudy problems`, a folder of images, an .npz file, or
    PATH.py:NAME."""
    run: Path | None = None
    """The folder for checkpoints, metrics and results; runs/NAME-DATE by default."""
    resume: Path | None = None
    """Continue the run in this folder, with its own settings; of them, --steps alone may be raised,
    to train it for longer."""
    recipe: tuple[str, ...] = ()
    """With --resume, PATH.py:NAME of the code of your own that the run was made with; several, if
    it is in several files."""
    data: str | None = None
    """The folder that holds the data set; QUICKSTUDY_DATA by default."""
    test: bool = True
    """Test on unseen classes or MDPs when training ends."""
    tensorboard: bool = False
    """Also write TensorBoard files; needs the extra `quickstudy[tensorboard]`."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    named = arguments[0] if arguments and not arguments[0].startswith("-") else None
    rest = arguments[1:] if named else arguments
    resumed = value_of("resume", rest)
    base = named_recipe(named, value_of("on", rest)) if resumed is None else _resumed(named, rest)
    any_one = "" if resumed else "[RECIPE | METHOD --on PROBLEM]"
    prog = f"quickstudy train {named or any_one}".rstrip()
    said = "--resume goes on with the run's own"
    why = {"on": said, "run": said} if resumed else {}
    recipe, values = with_arguments(base, _flags(base, resumed), rest, prog=prog, unread=why)
    options = TrainOptions(**values)
    if resumed is None:
        given = (named, options.on, value_of("network", rest))
        options = replace(options, recipe=tuple(one for one in given if one and is_file(one)))
    if options.resume is not None:
        _demand_only_longer(base, recipe, options.resume)
    _train(recipe, options)


def _flags(base: Recipe, resumed: str | None) -> list[Flag]:
    """The command's own flags that this training reads."""
    hidden = set() if base.problem.reads_folder else {"data"}
    hidden |= {"recipe"} if resumed is None else {"on", "run"}
    return flags_of(TrainOptions(), hidden)


def _resumed(named: str | None, arguments: Sequence[str]) -> Recipe:
    """The recipe of the run that is resumed."""
    from quickstudy.runs import Run

    folder, own = value_of("resume", arguments), values_of("recipe", arguments)
    recipe = from_json(Run.open(folder or "").recipe, scope_of(own))
    if named is not None and named != recipe.name:
        raise BadInput(
            f"{folder} is a run of {recipe.name}, not of {named}; leave the recipe's name out"
        )
    demand_data(
        recipe.problem,
        "a run goes on with the data that it began with: move them back, or put a link there",
    )
    return recipe


def _demand_only_longer(base: Recipe, recipe: Recipe, run: Path) -> None:
    longer = replace(base, budget=replace(base.budget, steps=recipe.budget.steps))
    if recipe != longer:
        changed = [f"--{name}" for name in _changed(base.to_json(), recipe.to_json())]
        differ, them = ("differs", "it") if len(changed) == 1 else ("differ", "them")
        raise BadInput(
            f"{', '.join(changed)} {differ} from the run in {run}; leave {them} out to resume it, "
            "or start a new run"
        )
    now, then = recipe.budget.steps, base.budget.steps
    if now < then:
        raise BadInput(
            f"--steps {now} is less than the {then} of the run in {run}, which can be made longer "
            "and not shorter; quickstudy evaluate tests what it has learned so far"
        )


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The flags whose values differ."""
    found = []
    for name, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(name), dict):
            inner = _changed(before[name], value)
            found += [name] if "name" in inner else inner
        elif before.get(name) != value:
            found.append(name.replace("_", "-"))
    return found


def _train(recipe: Recipe, options: TrainOptions) -> None:
    from quickstudy.mesh import set_up_devices

    # First: how many CPU devices there are cannot be changed once JAX has run anything.
    set_up_devices()
    from quickstudy.app.commands.evaluate import evaluate_and_write
    from quickstudy.experiments.method import Test
    from quickstudy.progress import CountingBar

    with CountingBar() as progress:
        source = Source(options.data, progress)
        recipe = recipe.prepared(source)
        # Before the run's folder is made: settings and data that are refused leave none behind.
        train = recipe.training(source)
        if options.test:
            recipe.seen.demand_tests(source)
    folder = options.resume or options.run or _folder(recipe)
    report = _reporter(folder, options)
    run = _run(folder, recipe, options)
    print(f"training {recipe.name} in {run.folder}", file=sys.stderr)
    for line in recipe.problem.notes():
        print(line, file=sys.stderr)
    learned = train(run=run, report=report)
    if options.test:
        asked = Test(recipe.name, curves=False, source=Source(options.data))
        evaluate_and_write(recipe, learned, asked, run.folder)


def _run(folder: Path, recipe: Recipe, options: TrainOptions) -> "Run":
    """A new run's folder, or that of the run which goes on."""
    from quickstudy.experiments.contents import same_contents
    from quickstudy.experiments.saved import demand_resumable
    from quickstudy.runs import Run

    contents = recipe.problem.contents()
    if options.resume is None:
        return Run.create(folder, recipe.to_json(), contents, options.recipe)
    demand_resumable(folder, recipe)
    run = Run.open(folder, options.recipe).lengthened(recipe.budget.steps)
    if not same_contents(run.contents(), contents):
        print(
            f"{recipe.problem.data('train')}: these are not the data that the run began with; it "
            "goes on with them, and ends otherwise than it would have",
            file=sys.stderr,
        )
    return run


def _folder(recipe: Recipe) -> Path:
    name = recipe.name.replace(".py:", "-")
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"


def _reporter(folder: Path, options: TrainOptions) -> "Reporter":
    from quickstudy.progress import Bar, Both, Lines, TensorBoard

    screen = Bar() if sys.stderr.isatty() else Lines()
    return Both(screen, TensorBoard(folder)) if options.tensorboard else screen
