"""What is read from a run's folder for its page, whatever was trained."""

import dataclasses
import json
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
