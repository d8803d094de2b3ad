"""Recipes of one's own: from a file, or from an installed package."""

import functools
import importlib.util
import logging
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from quickstudy.errors import BadInput
from quickstudy.recipes.recipe import Recipe

log = logging.getLogger(__name__)

GROUP = "quickstudy.recipes"
"""The entry points by which a package offers recipes, each named as `quickstudy train` calls it."""


def is_path(name: str) -> bool:
    """Whether a name means a class in a file: `path.py:Name`."""
    return name.rpartition(":")[0].endswith(".py")


def from_file(name: str) -> type[Recipe]:
    """The recipe `path.py:Name`; the file is run, as `python path.py` would.

    Its runs are named by the file's absolute path, so that they can be evaluated and resumed from
    anywhere, as long as the file is there.

    Raises:
        BadInput: no such file, no such class, or no recipe.
    """
    path, _, attribute = name.rpartition(":")
    return _from_file(str(Path(path).expanduser().resolve()), attribute)


@functools.cache
def _from_file(path: str, attribute: str) -> type[Recipe]:
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise BadInput(f"there is no file {path}; give PATH.py:NAME of a recipe's class")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, attribute, None)
    if found is None:
        own = [n for n, value in vars(module).items() if _is_recipe(value)]
        raise BadInput(f"{path} has no {attribute!r}; its recipes are: {', '.join(own) or 'none'}")
    recipe = _demand_recipe(found, path)
    return type(recipe.__name__, (recipe,), {"name": f"{path}:{attribute}"})


@functools.cache
def from_packages() -> dict[str, type[Recipe]]:
    """The recipes that installed packages offer under `quickstudy.recipes`, by name; those that
    cannot be loaded are left out, and logged.

    In the package's pyproject.toml:

        [project.entry-points."quickstudy.recipes"]
        my-recipe = "my_package.recipes:MyRecipe"
    """
    found = {}
    for point in entry_points(group=GROUP):
        try:
            found[point.name] = _loaded(point)
        except BadInput as error:
            log.warning("left out: %s", error)
    return found


def from_package(name: str) -> type[Recipe] | None:
    """The recipe that an installed package offers by that name; `None` if there is none.

    Raises:
        BadInput: it cannot be loaded, or is no recipe.
    """
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    return _loaded(points[0]) if points else None


def _loaded(point: EntryPoint) -> type[Recipe]:
    where = f"entry point {point.name} = {point.value}"
    try:
        found = point.load()
    except Exception as error:  # whatever another package's code raises
        raise BadInput(
            f"{where} cannot be loaded ({type(error).__name__}: {error}); mend or uninstall the "
            "package that offers it"
        ) from error
    return _demand_recipe(found, where)


def _is_recipe(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Recipe) and hasattr(value, "reaches")


def _demand_recipe(found: object, where: str) -> type[Recipe]:
    if not (isinstance(found, type) and _is_recipe(found)):
        raise BadInput(
            f"{where}: {found!r} is no recipe; give a frozen dataclass that extends "
            "quickstudy.recipes.FewShot (or MetaRL) and states name, reaches, takes and source"
        )
    return found
