"""What was learned as a run's folder or one file: weights, and the recipe in the header.

Nothing that a file says is ever imported. A recipe of the user's own is opened by naming it.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from quickstudy.checkpoint import load_arrays, read_recipe, read_told, save_arrays
from quickstudy.errors import BadInput, CheckpointError
from quickstudy.experiments.own import scope_of
from quickstudy.experiments.problems.described import described
from quickstudy.experiments.recipe import Recipe, from_json
from quickstudy.runs import LEARNER, RECIPE
from quickstudy.tasks.pictures import Ink


def export(learned: Any, path: Path | str, recipe: Recipe) -> None:
    """Write what was learned as one safetensors file, with its recipe in the header.

    Args:
        learned: trained by `recipe`, or of the same structure.
        path: the file to write; an older one is replaced whole or not at all.
        recipe: what `load` rebuilds it from.

    Raises:
        CheckpointError: the file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> from quickstudy.experiments.recipes import find_recipe
        >>> recipe = find_recipe("maml-sinusoid").prepared()
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "sinusoid.safetensors"
        >>> export(recipe.learner(), file, recipe)
        >>> type(load(file)).__name__
        'MAML'
    """
    save_arrays(Path(path).expanduser(), learned, recipe.to_json())


def load(path: Path | str, recipe: Any = None) -> Any:
    """A learner, or a policy, from a run's folder, or from a file that `export` or a run wrote.

    A policy of a Gymnasium environment needs nothing of that environment's code: `load(path)
    .agent()` acts wherever it is wanted.

    Args:
        path: the folder or the file.
        recipe: for what was made with code of your own, the code: `"PATH.py:NAME"`, or the recipe,
            problem, method, class or function itself; several in a list. A file of weights never
            causes code to be imported.

    Raises:
        CheckpointError: it is missing or damaged.
        BadInput: it was made with code of your own, which `recipe` does not name.

    Example:
        >>> learner = load("runs/prototypical-glyphs-20261124-040618")  # doctest: +SKIP
        >>> predictor = learner.adapt(support)  # doctest: +SKIP
    """
    file = learner_file(path)
    told = read_told(file)
    # What steps outside of quickstudy is not asked for, as a file says what its policy acts in.
    if recipe is None and told["interface"] and told["interface"]["spaces"]:
        return load_arrays(file, described(told["recipe"], told["interface"]).learner())
    return opened(path, recipe)[1]


def opened(path: Path | str, named: Any = None) -> tuple[Recipe, Any]:
    """The recipe of a run or a file, and what was learned by it; arguments as `load` has them."""
    file = learner_file(path)
    recipe = load_recipe(path, named)
    learned = recipe.learner()
    _demand_same_interface(read_told(file)["interface"], getattr(learned, "interface", None), file)
    return recipe, load_arrays(file, learned)


def demand_resumable(folder: Path, recipe: Recipe) -> None:
    """Refuse to go on in other environments than a run's policy was trained in so far.

    Raises:
        BadInput: says what they were then, and are now.
    """
    file = folder / LEARNER
    told = read_told(file)["interface"] if file.exists() else None
    if told is not None:
        now = getattr(recipe.learner(), "interface", None)
        _demand_same_interface(told, now, file)
        if now is not None and told["horizon"] != now.horizon:
            raise BadInput(
                f"{file} was trained in episodes of up to {told['horizon']} steps, and they have "
                f"{now.horizon} now; give the environment the horizon of then, or train anew"
            )


def _demand_same_interface(saved: dict[str, Any] | None, now: Any, file: Path) -> None:
    """Raise `BadInput` where an environment has other spaces than when its policy was trained."""
    if saved is None or now is None:  # a learner, or a file of version 0.1
        return
    told = now.to_json()
    for name in ("actions", "seen", "spaces"):
        if (old := saved[name]) != (new := json.loads(json.dumps(told[name]))):
            what = {"actions": "takes", "seen": "shows", "spaces": "has the spaces"}[name]
            raise BadInput(
                f"the policy of {file} was trained where an environment {what} {old}, and this one "
                f"{what} {new}; give it the spaces of then, or train anew"
            )


def copy_exported(path: Path | str, file: Path | str, named: Any = None) -> None:
    """Write what a run learned as one file; arguments as `export` and `load` have them."""
    header = read_recipe(learner_file(path))
    save_arrays(Path(file).expanduser(), load(path, named), header)


class Trained(NamedTuple):
    """The learner of a run, and what it reads.

    Attributes:
        learner: as it is tested.
        image: (height, width, channels) of the images that it takes; None where it takes none.
        encoder: the pretrained encoder whose features it takes, or nothing.
        ink: how drawings are read for it, as `Look` has it.
    """

    learner: Any
    image: tuple[int, int, int] | None
    encoder: str
    ink: Ink = "auto"


def learner_of(path: Path | str, named: Any = None) -> Trained:
    """The learner of a run or a file. Arguments as `load` has them.

    Raises:
        BadInput: what was trained is a policy, which learns from no examples.
    """
    recipe = load_recipe(path, named)
    # Before the weights are read: a policy is refused by its recipe.
    inputs = getattr(recipe.seen, "inputs", None)
    if inputs is None:
        raise BadInput(
            f"{path} is a run of {recipe.name}, a policy, which takes no images; give a run of a "
            "recipe on images, such as prototypical-omniglot"
        )
    recipe, learned = opened(path, named)
    method: Any = recipe.method
    seen: Any = recipe.seen
    image = inputs if len(inputs) == 3 else None
    # A problem of one's own code may say nothing of ink.
    ink: Ink = getattr(seen, "own_ink", "auto")
    return Trained(method.for_test(learned), image, getattr(seen, "encoder", ""), ink)


def load_recipe(path: Path | str, named: Any = None) -> Recipe:
    """The recipe that a run's folder or an exported file was trained with."""
    return from_json(read_recipe(learner_file(path)), scope_of(named))


def learner_file(path: Path | str) -> Path:
    """The file of weights that a run's folder or an exported file stands for."""
    path = Path(path).expanduser()
    file = path / LEARNER if path.is_dir() else path
    if not file.exists():
        raise CheckpointError(
            f"{file} does not exist; give a run's folder that was validated, or an exported file"
            + (
                f". To finish the training: quickstudy train --resume {path}"
                if (path / RECIPE).exists()
                else ""
            )
        )
    return file
