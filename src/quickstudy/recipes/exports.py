"""A learner as one file, from which it can be rebuilt: weights, and the recipe in the header."""

from pathlib import Path
from typing import Any

from quickstudy.checkpoint import load_arrays, read_recipe, save_arrays
from quickstudy.errors import CheckpointError
from quickstudy.recipes import from_json
from quickstudy.recipes.recipe import Recipe
from quickstudy.runs import LEARNER


def export(learner: Any, path: Path | str, recipe: Recipe) -> None:
    """Write a learner as one safetensors file, with its recipe in the header.

    Args:
        learner: trained by `recipe`, or of the same structure.
        path: the file to write; an older one is replaced whole or not at all.
        recipe: what `load` rebuilds the learner from.

    Raises:
        CheckpointError: the file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> from quickstudy.recipes import find
        >>> recipe = find("maml-sinusoid")()
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "sinusoid.safetensors"
        >>> export(recipe.learner(), file, recipe)
        >>> type(load(file)).__name__
        'MAML'
    """
    save_arrays(Path(path), learner, recipe.to_json())


def load(path: Path | str) -> Any:
    """A learner, or a policy, from a run's folder, or from a file that `export` or a run wrote.

    Raises:
        CheckpointError: it is missing, damaged, or of an unknown recipe.

    Example:
        >>> learner = load("runs/prototypical-glyphs-20261124-040618")  # doctest: +SKIP
        >>> predictor = learner.adapt(support)  # doctest: +SKIP
    """
    file = learner_file(path)
    return load_arrays(file, load_recipe(file).learner())


def load_recipe(path: Path | str) -> Recipe:
    """The recipe that a run's folder or an exported file was trained with."""
    return from_json(read_recipe(learner_file(path)))


def learner_file(path: Path | str) -> Path:
    """The file of weights that a run's folder or an exported file stands for."""
    path = Path(path)
    file = path / LEARNER if path.is_dir() else path
    if not file.exists():
        raise CheckpointError(
            f"{file} does not exist; give a run's folder that was validated, or an exported file"
            + (
                f". To finish the training: quickstudy train --resume {path}"
                if path.is_dir()
                else ""
            )
        )
    return file
