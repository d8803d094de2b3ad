"""What is read from a run's folder for its page, whatever was trained."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from quickstudy.errors import CheckpointError
from quickstudy.recipes import Recipe


def about_run(run: Any, recipe: Recipe, named: str) -> dict[str, Any]:
    """What every page tells: recipe, settings, machine and training.

    Args:
        run: the run.
        recipe: its recipe.
        named: its folder, as the user wrote it.
    """
    return {
        "run": named,
        "recipe": recipe.name,
        "about": {"must reach": recipe.reaches, "takes": recipe.takes, "source": recipe.source},
        "settings": [
            (field.name, getattr(recipe, field.name), field.default)
            for field in dataclasses.fields(recipe)
        ],
        "environment": read_json(run.folder / "environment.json") or {},
        "metrics": run.metrics(),
    }


def evaluations(folder: Path) -> tuple[Path, dict[str, Path]]:
    """The file of the evaluation that a page is about, which may be missing, and of all others.

    It is the run's own or, where that was never made, the one in the most test tasks.
    """
    found = {f.stem.removeprefix("evaluation-"): f for f in folder.glob("evaluation-*.json")}
    sizes = {n: int(m[1]) for n in found if (m := re.fullmatch(r"test-(\d+)-episodes", n))}
    chief = "test" if "test" in found or not sizes else max(sizes, key=sizes.__getitem__)
    file = found.pop(chief, folder / "evaluation-test.json")
    return file, dict(sorted(found.items()))


def read_json(path: Path) -> Any:
    """What a JSON file holds, or `None` where there is none."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> CheckpointError:
    """What to say of a file that cannot be read."""
    return CheckpointError(
        f"{path} cannot be read ({type(error).__name__}: {error}); delete it, or write it anew "
        f"with quickstudy evaluate {path.parent}"
    )
