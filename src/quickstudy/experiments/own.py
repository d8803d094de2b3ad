"""Code of the user's own: `FILE.py:NAME`, or a recipe of an installed package.

A file is run only where the user names it. It becomes a module as `python FILE.py` would have it:
its folder can be imported from, and it is registered under its own name before it runs, so that
siblings, `from __future__ import annotations` and worker processes find what it defines.
"""

import functools
import importlib.util
import logging
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from quickstudy.errors import RAISED, BadInput, QuickstudyError
from quickstudy.experiments.recipe import Recipe
from quickstudy.experiments.scope import Scope
from quickstudy.experiments.settings import Own, Settings, place_of
from quickstudy.experiments.telling import MARK

log = logging.getLogger(__name__)

GROUP = "quickstudy.recipes"
"""The entry points by which a package offers recipes, each named as `quickstudy train` calls it."""


def is_file(name: str) -> bool:
    """Whether a name means something in a file: `PATH.py:NAME`.

    Raises:
        BadInput: it is a file, and names nothing in it.
    """
    if name.endswith(".py"):
        raise BadInput(f"{name} names a file; name what is meant in it, too, as {name}:NAME")
    return name.rpartition(":")[0].endswith(".py")


def from_file(name: str) -> Own:
    """What stands in a file as `PATH.py:NAME`; the file is run.

    Raises:
        BadInput: no such file, no such name, or an error in the file, told with its line.
    """
    path, _, attribute = name.rpartition(":")
    module = _module(Path(path).expanduser().resolve())
    if not hasattr(module, attribute):
        own = [n for n, thing in vars(module).items() if _defined(thing, module, n)]
        raise BadInput(f"{path} has no {attribute!r}; it defines: {', '.join(own) or 'nothing'}")
    return Own(f"{Path(path).name}:{attribute}", getattr(module, attribute))


@functools.cache
def _module(path: Path) -> ModuleType:
    """The file as a module, run once."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give PATH.py:NAME")
    name = path.stem
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded  # a sibling has imported it
    if name in sys.stdlib_module_names or loaded is not None:
        other = "of Python's own" if loaded is None else f"at {getattr(loaded, '__file__', '?')}"
        raise BadInput(f"{path} has the name of a module {other}; rename the file")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    setattr(module, MARK, True)
    sys.path.insert(0, str(path.parent))  # as `python FILE.py` does; workers inherit it
    sys.modules[name] = module
    # `import helpers` means the file beside this one, whatever another folder's file imported.
    others = {n: sys.modules.pop(n) for n in _offered(path.parent) if _elsewhere(n, path.parent)}
    try:
        spec.loader.exec_module(module)
        _demand_apart(others, path)
    except RAISED as error:
        del sys.modules[name]
        sys.path.remove(str(path.parent))
        if isinstance(error, QuickstudyError) and _line(error, path) is None:
            raise  # it is about the file as a whole, and names it
        raise BadInput(_where(error, path)) from error
    finally:
        sys.modules.update(others)
    return module


def _offered(folder: Path) -> set[str]:
    """The modules that a folder offers to the files in it."""
    packages = {file.parent.name for file in folder.glob("*/__init__.py")}
    return (packages | {file.stem for file in folder.glob("*.py")}) - sys.stdlib_module_names


def _elsewhere(name: str, folder: Path) -> bool:
    """Whether a module of that name is loaded from another folder."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is not None and folder not in (Path(file).parent, Path(file).parent.parent)


def _demand_apart(others: dict[str, ModuleType], path: Path) -> None:
    """Raise `BadInput` if a file has imported a sibling whose name one of another folder has.

    Python knows one module of a name. A function that imports it later, or a worker process,
    would get the other one.
    """
    for name, other in others.items():
        if name in sys.modules:
            mine = getattr(sys.modules[name], "__file__", "?")
            raise BadInput(
                f"{path} imports {mine}, and {other.__file__} has the same name; rename one of them"
            )


def _where(error: BaseException, path: Path) -> str:
    """What went wrong in a file, and in which line."""
    kind = "" if isinstance(error, QuickstudyError) else f"{type(error).__name__}: "
    hidden = isinstance(error, AttributeError | ImportError) and f"'{path.stem}'" in str(error)
    hint = f"; the file hides a module of the name {path.stem}: rename the file" if hidden else ""
    if isinstance(error, ModuleNotFoundError) and error.name == "gymnasium":
        hint = "; pip install 'quickstudy[gymnasium]'"
    if isinstance(error, ImportError) and "attempted relative import" in str(error):
        hint = "; import by name what stands beside the file, as `import helpers`"
    return f"{path}, line {_line(error, path)}: {kind}{error}{hint}"


def _line(error: BaseException, path: Path) -> int | None:
    """The line of a file that an error was raised in, or below; `None` if it was not running."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename) == path:
            line = frame.lineno
    return line


def _defined(thing: Any, module: ModuleType, name: str) -> bool:
    from quickstudy.envs.environment import Environment

    if name.startswith("_"):
        return False
    # Values of classes that are defined elsewhere; that may be given, too.
    value = isinstance(thing, Recipe | Settings | Environment)
    family = hasattr(thing, "set_task") and not isinstance(thing, type)
    return value or family or getattr(thing, "__module__", None) == module.__name__


@functools.cache
def from_packages() -> dict[str, Recipe]:
    """The recipes that installed packages offer under `quickstudy.recipes`, by name; those that
    cannot be loaded are left out, and logged.

    In the package's pyproject.toml:

        [project.entry-points."quickstudy.recipes"]
        my-recipe = "my_package.recipes:RECIPE"
    """
    found = {}
    for point in entry_points(group=GROUP):
        try:
            # One broken package must not hide all recipes; asked for by name, its recipe is an
            # error.
            found[point.name] = _loaded(point)
        except BadInput as error:
            log.warning("left out: %s", error)
    return found


def from_package(name: str) -> Recipe | None:
    """The recipe that an installed package offers by that name; `None` if there is none.

    Raises:
        BadInput: it cannot be loaded, or is no recipe.
    """
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    return _loaded(points[0]) if points else None


def _loaded(point: EntryPoint) -> Recipe:
    where = f"entry point {point.name} = {point.value}"
    try:
        found = point.load()
    except Exception as error:  # whatever another package's code raises
        raise BadInput(
            f"{where} cannot be loaded ({type(error).__name__}: {error}); mend or uninstall the "
            "package that offers it"
        ) from error
    return demand_recipe(found, where, point.name)


def demand_recipe(found: object, where: str, name: str) -> Recipe:
    """The recipe, under that name.

    Raises:
        BadInput: it is no recipe.
    """
    if not isinstance(found, Recipe):
        raise BadInput(
            f"{where}: {found!r} is no recipe; give a value "
            "quickstudy.Recipe(problem, method, budget)"
        )
    from dataclasses import replace

    return replace(found, name=name)


def scope_of(named: Any) -> Scope:
    """What a user opens by naming it.

    Args:
        named: `None`; `PATH.py:NAME`, which opens all that the file defines; the name of an
            installed package's recipe; a recipe, problem, method, environment or class itself; or
            several of these.
    """
    if named is None:
        return Scope()
    several = named if isinstance(named, Sequence) and not isinstance(named, str) else [named]
    things: dict[str, Any] = {}
    for one in several:
        things |= _things(one)
    return Scope(things, [where for one in several if (where := _named_class(one))])


def _named_class(named: Any) -> str:
    """Where a class or function in a file is defined, whose place a run's recipe tells; nothing for
    a recipe or another value, whose parts it tells."""
    if not isinstance(named, str) or not is_file(named):
        return ""
    own = from_file(named)
    return own.where if callable(own.thing) else ""


def _things(named: Any) -> dict[str, Any]:
    if isinstance(named, str) and is_file(named):
        own = from_file(named)
        path = Path(named.rpartition(":")[0]).expanduser().resolve()
        found = {n: one for n, one in vars(_module(path)).items() if not n.startswith("_")}
        classes = {f"{path.name}:{n}": one for n, one in found.items() if callable(one)}
        # What it imports from a sibling has the sibling's place in a recipe.
        places = {place_of(one): one for one in found.values() if isinstance(one, type)}
        return {**places, **classes, own.where: own.thing}
    if isinstance(named, str):
        from quickstudy.experiments.recipes import find_recipe

        return _things(find_recipe(named))
    if isinstance(named, Recipe):
        return _parts(named.problem) | _parts(named.method)
    kind = named if isinstance(named, type) or callable(named) else type(named)
    return {place_of(kind): named, **(_parts(named) if kind is not named else {})}


def _parts(value: Any) -> dict[str, Any]:
    """Everything of the user's own in a value of settings, by name."""
    import dataclasses

    if isinstance(value, Own):
        return {value.where: value.thing}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return {}
    found = {place_of(type(value)): type(value)}
    for field in dataclasses.fields(value):
        found |= _parts(getattr(value, field.name))
    return found
