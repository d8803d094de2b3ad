"""Results in a run's folder: which there are, and what they say."""

import json
import re
from pathlib import Path
from typing import Any

from quickstudy.errors import BadInput, CheckpointError
from quickstudy.experiments.learner_result import LearnerResult
from quickstudy.experiments.policy_result import PolicyResult
from quickstudy.experiments.result import Result


def read_result(path: Path, **missing: Any) -> Result | None:
    """What an evaluation left, if it was made.

    Args:
        path: an evaluation-*.json.
        missing: `recipe` and `data`, where the file is of version 0.1 and names neither.

    Raises:
        BadInput: it is no evaluation-*.json, and holds no result.
        CheckpointError: the file is damaged.
    """
    is_result = path.name.startswith("evaluation-")
    try:
        value = read_json(path)
    except CheckpointError as error:
        raise error if is_result else _no_result(path) from error
    if value is None:
        return None
    held = set(value) if isinstance(value, dict) else set()
    if not is_result and not {"after", "policy"} & held:
        raise _no_result(path)
    if not isinstance(value, dict):
        raise damaged(path, TypeError("it holds no result"))
    try:
        kind = PolicyResult if "policy" in value else LearnerResult
        split = path.stem.removeprefix("evaluation-").partition("-")[0]
        return kind.from_json(value, **{"split": split, **missing})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, error) from error


def evaluations(folder: Path) -> tuple[Path, dict[str, Path]]:
    """The file of the evaluation that a page is about, which may be missing, and of all others.

    It is the run's own or, where that was never made, the one on the most test tasks.
    """
    found = {f.stem.removeprefix("evaluation-"): f for f in folder.glob("evaluation-*.json")}
    sizes = {n: int(m[1]) for n in found if (m := re.fullmatch(r"test-(\d+)-episodes", n))}
    chief = "test" if "test" in found or not sizes else max(sizes, key=sizes.__getitem__)
    file = found.pop(chief, folder / "evaluation-test.json")
    return file, dict(sorted(found.items()))


def read_json(path: Path) -> Any:
    """What a JSON file holds, or `None` where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def read_about(path: Path) -> dict[str, Any]:
    """What a run's environment.json tells of the program and the machine; nothing where it is not
    there."""
    found = read_json(path) or {}
    if not isinstance(found, dict) or not isinstance(found.get("machine", {}), dict):
        raise damaged(path, TypeError("it tells of no machine"))
    return found


def _no_result(path: Path) -> BadInput:
    """The error for what was never a result, and is not to be deleted: a run's recipe.json, or an
    exported file of weights."""
    return BadInput(
        f"{path} holds no result of an evaluation; give a run's folder, or one of its "
        "evaluation-*.json"
    )


def damaged(path: Path, error: Exception) -> CheckpointError:
    """The error for a file that cannot be read."""
    return CheckpointError(
        f"{path} cannot be read ({type(error).__name__}: {error}); delete it, or write it anew "
        f"with quickstudy evaluate {path.parent}"
    )
