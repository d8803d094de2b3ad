"""`quickstudy report RUN`: one HTML page on which everything about a run stands."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from quickstudy.app.commands.reading import about_run, damaged, evaluations, read_json
from quickstudy.errors import BadInput, DataError, demand_counts
from quickstudy.recipes import FewShot, MetaRL, Recipe, Source

if TYPE_CHECKING:
    from quickstudy.evaluation.tasks import Estimate, Evaluation
    from quickstudy.learners.learner import Learner

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
    if isinstance(recipe, MetaRL):
        from quickstudy.app.commands.report_policy import policy_story
        from quickstudy.app.report.policy_page import policy_page

        return policy_page(policy_story(run, recipe, str(options.run), options.beside))
    if isinstance(recipe, FewShot):
        if options.beside:
            raise BadInput(
                f"--beside compares policies that act, and {options.run} is a run of "
                f"{recipe.name}; leave it out"
            )
        from quickstudy.app.report.page import page
        from quickstudy.recipes.exports import load

        learner = recipe.for_test(load(run.folder))
        return page(_story(run, recipe, learner, options))
    raise BadInput(
        f"{options.run} is a run of {recipe.name}, which is neither of learners that read examples "
        "(FewShot) nor of policies that act (MetaRL); only these have a page"
    )


def _story(run: Any, recipe: FewShot, learner: "Learner", options: Report) -> Any:
    """Everything the page tells, read from the run's folder and seen on test tasks."""
    from quickstudy.app.report.page import Story

    chief, beside = evaluations(run.folder)
    evaluation, shots = _evaluation(chief) or (None, {})
    others = {name: found[0] for name, file in beside.items() if (found := _evaluation(file))}
    return Story(
        **about_run(run, recipe, str(options.run)),
        trained_on=_trained_on(recipe),
        tested_on=_tested_on(recipe),
        evaluation=evaluation,
        shots=shots,
        others=others,
        **_seen(recipe, learner, options),
    )


def _seen(recipe: FewShot, learner: "Learner", options: Report) -> dict[str, Any]:
    """One test task and the confused classes; or why they cannot be shown."""
    import equinox as eqx
    import jax

    from quickstudy.app.commands.evaluate import TEST_SEED
    from quickstudy.app.report import confusion, figures
    from quickstudy.progress import CountingBar
    from quickstudy.tasks.episodes import Episodes
    from quickstudy.tasks.sinusoid import Sinusoid

    try:
        with CountingBar() as progress:
            tasks = recipe.tasks("test", source=Source(options.data, progress))
    except DataError as error:
        return {"missing": f"There are no pictures, because the data could not be read: {error}"}
    key = jax.random.key(TEST_SEED)  # the tasks that `quickstudy evaluate` meets
    if isinstance(tasks, Sinusoid):
        return {"fit": figures.fit(learner, tasks, key)}
    if recipe.image is None or not isinstance(tasks, Episodes):
        return {}
    task = eqx.filter_jit(tasks.sample)(key)
    return {
        "tasks": tasks,
        "episode": (task, figures.answers(learner, task)),
        "confusions": confusion.confusions(learner, tasks, episodes=options.episodes, key=key),
    }


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


def _evaluation(path: Path) -> "tuple[Evaluation, dict[int, Estimate]] | None":
    """An evaluation and its results per number of shots, if there is one."""
    from quickstudy.evaluation.tasks import Estimate, Evaluation

    value = read_json(path)
    if value is None:
        return None
    try:
        fields = {field.name: value[field.name] for field in dataclasses.fields(Evaluation)}
        ends = {name: Estimate.from_json(value[name]) for name in ("before", "after")}
        path_of = tuple(Estimate.from_json(one) for one in value["path"])
        shots = {int(k): Estimate.from_json(one) for k, one in value.get("shots", {}).items()}
        return Evaluation(**{**fields, **ends, "path": path_of}), shots
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, error) from error
