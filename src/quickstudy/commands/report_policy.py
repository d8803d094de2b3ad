"""`quickstudy report RUN` for policies: rewards beside the oracles', and one trial as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickstudy.commands.reading import about_run, damaged, evaluations, read_json
from quickstudy.errors import BadInput
from quickstudy.recipes import MetaRL

if TYPE_CHECKING:
    from quickstudy.report.policy_page import PolicyStory
    from quickstudy.trial_evaluation import TrialEvaluation


def policy_story(run: Any, recipe: MetaRL, named: str) -> "PolicyStory":
    """Everything the page tells, read from the run's folder; one trial is acted.

    Args:
        run: the run.
        recipe: its recipe.
        named: its folder, as the user wrote it.
    """
    from quickstudy.commands.play import play_trial
    from quickstudy.report.policy_page import PolicyStory

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
    )


def _evaluation(path: Path) -> "TrialEvaluation":
    from quickstudy.trial_evaluation import TrialEvaluation

    try:
        return TrialEvaluation.from_json(read_json(path))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, error) from error
