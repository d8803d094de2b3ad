"""`quickstudy report RUN`: one HTML page on which everything about a run stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickstudy.app.flags import demand_read, flags_of, parse, values_of
from quickstudy.app.pairing import untouched
from quickstudy.app.running import elsewhere_in_tests, first_argument
from quickstudy.errors import BadInput, demand_counts
from quickstudy.experiments.method import Test
from quickstudy.experiments.problem import Source
from quickstudy.experiments.recipe import Card, Recipe

if TYPE_CHECKING:
    from quickstudy.experiments.result import Result
    from quickstudy.runs import Run

PAGE = "report.html"


@dataclass(frozen=True)
class ReportOptions:
    """What a page shows beside the run itself."""

    episodes: int = 200
    """How many test tasks to look for confused classes in."""
    data: str | None = None
    """The folder that holds the data set; QUICKSTUDY_DATA by default."""
    beside: tuple[Path, ...] = ()
    """Folders of other runs whose rewards are drawn beside this one's: those of an ablation, for
    example."""
    recipe: tuple[str, ...] = ()
    """PATH.py:NAME of the code of your own that the run was made with; several, if it is
    in several files."""


ABOUT = "Write one self-contained page about a run."


def main(arguments: list[str]) -> None:
    """Parse and run."""
    folder, rest = first_argument(arguments, "report RUN", ReportOptions, ABOUT)
    if folder.is_file():
        raise BadInput(
            f"{folder} is a file; a report tells of the training too: give the run's folder"
        )
    from quickstudy.runs import Run

    run = Run.open(folder)
    from quickstudy.experiments.saved import load_recipe

    recipe = load_recipe(folder, values_of("recipe", rest))
    hidden = {"episodes", "beside", "data"} - set(recipe.method.page_flags)
    hidden |= set() if recipe.problem.reads_folder else {"data"}
    flags = flags_of(ReportOptions(), hidden)
    elsewhere = elsewhere_in_tests(recipe, recipe.problem)
    elsewhere["beside"] = f"it compares policies that act, and {recipe.name} trains none"
    demand_read(flags, rest, elsewhere)
    about = f"Write one self-contained page about a run of {recipe.name}, {folder}/{PAGE}."
    values = parse(flags, rest, prog=f"quickstudy report {folder}", description=about)
    options = ReportOptions(**values)
    demand_counts(**{"--episodes": options.episodes})
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.writing import write_atomically

    path = run.folder / PAGE
    write_atomically(path, page_of(run, str(folder), options))
    print(f"wrote {path}")


def page_of(run: "Run", named: str, options: ReportOptions) -> str:
    """The page of a run."""
    from quickstudy.app.report.page import page
    from quickstudy.experiments.result_files import evaluations, read_about, read_result
    from quickstudy.experiments.run_report import RunReport
    from quickstudy.experiments.saved import opened

    recipe, learned = opened(run.folder, options.recipe)
    chief, others = evaluations(run.folder)
    missing = {"recipe": recipe.name, "data": recipe.problem.data()}
    result = read_result(chief, **missing)
    if result is not None and options.beside:
        result = result.beside_others(
            dict(_other(path, recipe, options) for path in options.beside)
        )
    test = Test(recipe.name, episodes=options.episodes, source=Source(options.data))
    parts = (recipe.seen, learned, recipe.budget, Path(named), test)
    card = recipe.card
    about = {"must reach": card.reaches, "takes": card.takes, "source": recipe.source}
    if card == Card():  # nobody has measured it
        about = {"source": recipe.source}
    report = RunReport(
        run=named,
        recipe=recipe.name,
        about=about,
        settings=_settings(recipe, options.recipe),
        environment=read_about(run.folder / "environment.json"),
        metrics=run.metrics(),
        result=result,
        others={
            name: found for name, file in others.items() if (found := read_result(file, **missing))
        },
        pictures=recipe.method.pictures(*parts),
        trained_on=recipe.method.trained_on(recipe.seen),
        titles=recipe.method.chart_titles,
    )
    return page(f"{recipe.name}: {named}", report.sections())


def _settings(recipe: Recipe, own: Sequence[str]) -> list[tuple[str, Any, Any]]:
    """Name, value and default of every setting; defaults are those without any flag."""
    base = untouched(recipe, own)
    found = []
    for mine, default in (
        (recipe.problem, base.problem),
        (recipe.method, base.method),
        (recipe.budget, base.budget),
    ):
        defaults = {flag.name: flag.default for flag in flags_of(default)}
        found += [
            (flag.name, flag.default, defaults.get(flag.name))
            for flag in flags_of(mine, recipe.method.unread())
        ]
    return found


def _other(folder: Path, recipe: Recipe, options: ReportOptions) -> "tuple[str, Result]":
    """Another run by what it did otherwise, and its result."""
    from quickstudy.experiments.result_files import read_result
    from quickstudy.experiments.saved import load_recipe

    other = load_recipe(folder, options.recipe)
    if other.method.compared_by(other.problem) != recipe.method.compared_by(recipe.problem):
        raise BadInput(
            f"--beside {folder} is a run of {other.name}, whose rewards do not go with "
            f"{recipe.name}'s; give runs of policies with as many episodes or updates"
        )
    found = read_result(folder / "evaluation-test.json", recipe=other.name)
    if found is None:
        raise BadInput(f"--beside {folder} was not tested yet; run: quickstudy evaluate {folder}")
    mine = {name: value for name, value, _ in _settings(recipe, options.recipe)}
    told = [f"{n}: {v}" for n, v, _ in _settings(other, options.recipe) if v != mine.get(n)]
    return ", ".join(told) or folder.name, found
