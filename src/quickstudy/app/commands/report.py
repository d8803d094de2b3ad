"""`quickstudy report RUN`: one HTML page on which everything about a run stands."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from quickstudy.errors import BadInput, DataError, demand_counts
from quickstudy.recipes import FewShot, MetaRL, Recipe, Source

if TYPE_CHECKING:
    from quickstudy.evaluation.trials import Returns
    from quickstudy.experiments.run_report import RunReport

PAGE = "report.html"


@dataclass(frozen=True)
class Report:
    """Write one self-contained page, RUN/report.html, with results, curves, pictures and cost."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""
    episodes: int = 200
    """How many test tasks to look for confused classes in."""
    data: str | None = None
    """The folder that holds the data set; QUICKSTUDY_DATA by default."""
    beside: tuple[Path, ...] = ()
    """Folders of other runs whose rewards are drawn beside this one's: those of an ablation, for
    example. For policies."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    options = tyro.cli(Report, args=arguments, prog="quickstudy report")
    if options.run.is_file():
        raise BadInput(
            f"{options.run} is a file; a report tells of the training too: give the run's folder"
        )
    demand_counts(**{"--episodes": options.episodes})
    from quickstudy.runs import Run

    run = Run.open(options.run)
    from quickstudy.mesh import set_up_devices

    set_up_devices()
    from quickstudy.checkpoint import write_atomically
    from quickstudy.recipes.exports import load_recipe

    path = run.folder / PAGE
    write_atomically(path, _page(run, load_recipe(run.folder), options).encode())
    print(f"wrote {path}")


def _page(run: Any, recipe: Recipe, options: Report) -> str:
    """The page of either kind of run."""
    import dataclasses

    from quickstudy.app.report.page import page
    from quickstudy.experiments.result_files import evaluations, read_json, read_result
    from quickstudy.experiments.run_report import RunReport

    if not isinstance(recipe, MetaRL | FewShot):
        raise BadInput(
            f"{options.run} is a run of {recipe.name}, which is neither of learners that read "
            "examples (FewShot) nor of policies that act (MetaRL); only these have a page"
        )
    chief, others = evaluations(run.folder)
    missing = {"recipe": recipe.name, **_data_of(recipe)}
    result = read_result(chief, **missing)
    report = RunReport(
        run=str(options.run),
        recipe=recipe.name,
        about={"must reach": recipe.reaches, "takes": recipe.takes, "source": recipe.source},
        settings=[
            (field.name, getattr(recipe, field.name), field.default)
            for field in dataclasses.fields(recipe)
        ],
        environment=read_json(run.folder / "environment.json") or {},
        metrics=run.metrics(),
        result=result,
        others={
            name: found for name, file in others.items() if (found := read_result(file, **missing))
        },
    )
    if isinstance(recipe, MetaRL):
        report = _policy(report, run, recipe, options)
    else:
        report = _learner(report, run, recipe, options)
    return page(f"{recipe.name}: {options.run}", report.sections())


def _learner(report: "RunReport", run: Any, recipe: FewShot, options: Report) -> "RunReport":
    """With one test task and the confused classes; or why they cannot be shown."""
    import jax

    from quickstudy.app.commands.evaluate import TEST_SEED
    from quickstudy.experiments.pictures.seen import seen
    from quickstudy.experiments.sections import Note, Section
    from quickstudy.progress import CountingBar
    from quickstudy.recipes.exports import load

    if options.beside:
        raise BadInput(
            f"--beside compares policies that act, and {options.run} is a run of "
            f"{recipe.name}; leave it out"
        )
    learner = recipe.for_test(load(run.folder))
    try:
        with CountingBar() as progress:
            tasks = recipe.tasks("test", source=Source(options.data, progress))
        key = jax.random.key(TEST_SEED)  # the tasks that `quickstudy evaluate` meets
        pictures = seen(learner, tasks, key, episodes=options.episodes)
    except DataError as error:
        why = f"There are no pictures, because the data could not be read: {error}"
        pictures = [Section("One task", [Note(why)])]
    return replace(report, pictures=pictures, trained_on=_trained_on(recipe))


def _policy(report: "RunReport", run: Any, recipe: MetaRL, options: Report) -> "RunReport":
    """With one trial as a picture, and the rewards of other runs."""
    from quickstudy.app.commands.play import play_trial
    from quickstudy.experiments.policy_result import PolicyResult
    from quickstudy.experiments.sections import Note, PictureFile, Section

    updated, result = recipe.stage == "update", report.result
    try:
        picture = PictureFile(play_trial(run.folder, recipe), "What the policy does")
        blocks = [picture, Note("Others:", f"quickstudy play {options.run} --trial 1")]
    except BadInput as error:  # nobody has drawn this family
        blocks = [Note(str(error))]
    beside = dict(_other(folder, recipe) for folder in options.beside)
    if isinstance(result, PolicyResult):
        result = replace(result, beside=beside)
    return replace(
        report,
        result=result,
        pictures=[Section("One task" if updated else "One trial", blocks)],
        titles={"return": "Reward of an episode after adaptation"} if updated else {},
    )


def _other(folder: Path, recipe: MetaRL) -> "tuple[str, Returns]":
    """Another run by what it did otherwise, and what its policy earned."""
    from quickstudy.experiments.policy_result import PolicyResult
    from quickstudy.experiments.result_files import read_result
    from quickstudy.recipes.exports import load_recipe

    other = load_recipe(folder)
    if not (
        isinstance(other, MetaRL)
        and (other.stage, other.episodes) == (recipe.stage, recipe.episodes)
    ):
        raise BadInput(
            f"--beside {folder} is a run of {other.name}, whose rewards do not go with "
            f"{recipe.name}'s; give runs of policies with as many {recipe.stage}s"
        )
    result = read_result(folder / "evaluation-test.json", recipe=other.name)
    if not isinstance(result, PolicyResult):
        raise BadInput(f"--beside {folder} was not tested yet; run: quickstudy evaluate {folder}")
    mine, theirs = recipe.to_json(), other.to_json()
    told = [f"{name}: {value}" for name, value in theirs.items() if value != mine.get(name)]
    return ", ".join(told) or folder.name, result.evaluation.policy


def _data_of(recipe: Recipe) -> dict[str, str]:
    """The data of a run's own tasks, for files that do not name them."""
    from quickstudy.app.commands.evaluate import data_name

    return (
        {"data": f"{data_name(recipe)}, {_tested_on(recipe)}"}
        if isinstance(recipe, FewShot)
        else {}
    )


def _trained_on(recipe: FewShot) -> str:
    """How many classes a training task has, where that is not the same in validation."""
    from quickstudy.recipes.data import OnImages
    from quickstudy.recipes.transfer import WithTransfer

    if isinstance(recipe, WithTransfer):
        return f"all {recipe.train_classes:,} classes"
    if not isinstance(recipe, OnImages):
        return ""
    most, shots = recipe.training_ways, recipe.shots
    least, fewest = recipe.fewest_ways or most, recipe.fewest_shots or shots
    ways = f"{most}-way" if least == most else f"{least}- to {most}-way"
    if fewest != shots:
        return f"{ways} {fewest}- to {shots}-shot, validation {recipe.ways}-way {shots}-shot"
    return "" if least == most == recipe.ways else f"{ways}, validation {recipe.ways}-way"


def _tested_on(recipe: FewShot) -> str:
    """The shape of a test task."""
    settings = vars(recipe)
    if "ways" in settings:
        return f"{settings['ways']}-way {settings['shots']}-shot"
    return f"{settings['test_shots']} support points" if "test_shots" in settings else ""
