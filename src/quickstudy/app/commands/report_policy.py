"""`quickstudy report RUN` for policies: rewards beside the oracles', and one trial as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickstudy.app.commands.reading import about_run, damaged, evaluations, read_json
from quickstudy.errors import BadInput
from quickstudy.recipes import MetaRL
from quickstudy.recipes.exports import load_recipe

if TYPE_CHECKING:
    from quickstudy.app.report.policy_page import PolicyStory
    from quickstudy.evaluation.trials import Returns, TrialEvaluation


def policy_story(
    run: Any, recipe: MetaRL, named: str, beside: Sequence[Path] = ()
) -> "PolicyStory":
    """Everything the page tells, read from the run's folder; one trial is acted.

    Args:
        run: the run.
        recipe: its recipe.
        named: its folder, as the user wrote it.
        beside: folders of other runs.

    Raises:
        BadInput: another run is not of a policy with rewards of the same kind, or was not tested.
    """
    from quickstudy.app.commands.play import play_trial
    from quickstudy.app.report.policy_page import PolicyStory

    chief, others = evaluations(run.folder)
    picture, missing = None, ""
    try:
        picture = play_trial(run.folder, recipe)
    except BadInput as error:  # nobody has drawn this family
        missing = str(error)
    return PolicyStory(
        **about_run(run, recipe, named),
        evaluation=_evaluation(chief) if chief.exists() else None,
        others={name: _evaluation(file) for name, file in others.items()},
        picture=picture,
        missing=missing,
        stage=recipe.stage,
        beside=dict(_other(folder, recipe) for folder in beside),
    )


def _other(folder: Path, recipe: MetaRL) -> tuple[str, "Returns"]:
    """Another run by what it did otherwise, and what its policy earned."""
    other, file = load_recipe(folder), folder / "evaluation-test.json"
    if not (
        isinstance(other, MetaRL)
        and (other.stage, other.episodes) == (recipe.stage, recipe.episodes)
    ):
        raise BadInput(
            f"--beside {folder} is a run of {other.name}, whose rewards do not go with "
            f"{recipe.name}'s; give runs of policies with as many {recipe.stage}s"
        )
    if not file.exists():
        raise BadInput(f"--beside {folder} was not tested yet; run: quickstudy evaluate {folder}")
    mine, theirs = recipe.to_json(), other.to_json()
    told = [f"{name}: {value}" for name, value in theirs.items() if value != mine.get(name)]
    return ", ".join(told) or folder.name, _evaluation(file).policy


def _evaluation(path: Path) -> "TrialEvaluation":
    from quickstudy.evaluation.trials import TrialEvaluation

    try:
        return TrialEvaluation.from_json(read_json(path))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, error) from error
