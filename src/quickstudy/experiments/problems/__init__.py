"""Problems, one data set or family of MDPs a file, found by name, by path, or in a file."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quickstudy.errors import BadInput
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.problems import (
    bandit,
    benchmarks,
    bodies,
    emoji,
    glyphs,
    grids,
    metaworld,
    omniglot,
    own_family,
    plane,
    sinusoid,
    tabular,
    yours,
)
from quickstudy.experiments.scope import Scope
from quickstudy.experiments.settings import Own, made, read_settings

PROBLEMS: tuple[type[Problem], ...] = (
    yours.FolderImages,
    yours.NpzImages,
    glyphs.GlyphImages,
    omniglot.OmniglotImages,
    emoji.EmojiImages,
    benchmarks.CIFARFSImages,
    benchmarks.MiniImageNetImages,
    sinusoid.SinusoidCurves,
    bandit.BanditFamily,
    tabular.TabularFamily,
    grids.GridNaviFamily,
    grids.MazeFamily,
    grids.GameFamily,
    plane.NavigationFamily,
    plane.HalfCircleFamily,
    bodies.CheetahFamily,
    bodies.AntFamily,
    metaworld.MetaWorldFamily,
)
"""In the order of lists."""


def find_problem(name: str) -> Problem:
    """The problem of that name, a folder of images, an .npz file, or what stands in a file.

    Raises:
        BadInput: there is none, and the message suggests the nearest.

    Example:
        >>> find_problem("sinusoid").shots
        10
    """
    from quickstudy.experiments.own import from_file, is_file

    if not name.strip():
        raise BadInput("--on names nothing; give a problem, a folder, an .npz file or PATH.py:NAME")
    if is_file(name):
        return problem_of(from_file(name))
    # First: a folder that happens to be called "omniglot" must not hide the problem.
    for kind in PROBLEMS:
        if kind.name == name and not issubclass(kind, yours.YourImages):
            return kind()
    path = Path(name).expanduser()
    if path.is_dir():
        return yours.FolderImages(path=str(path.resolve()))
    if path.suffix.lower() == ".npz":
        return yours.NpzImages(path=str(path.resolve()))
    raise BadInput(_unknown(name))


def _unknown(name: str) -> str:
    from quickstudy.experiments.recipes import RECIPES

    if name in RECIPES:
        return f"{name} is a recipe; its problem is {RECIPES[name].problem.name}: give that"
    if name in (yours.FolderImages.name, yours.NpzImages.name):
        return f"{name} stands for data of your own; give the folder's or the file's path"
    known = [kind.name for kind in PROBLEMS if not issubclass(kind, yours.YourImages)]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    return (
        f"there is no problem {name!r}, nor a folder of that name; {hint}`quickstudy problems` "
        "lists all, and a folder of images, an .npz file or PATH.py:NAME is one, too"
    )


def problem_of(own: Own) -> Problem:
    """A problem made of what stands in a file: a problem, or a family of MDPs.

    Raises:
        BadInput: it is neither.
    """
    thing = own.thing
    if isinstance(thing, Problem):
        return thing
    if isinstance(thing, type) and issubclass(thing, Problem):
        return made(own)
    if (family := own_family.family_of(own)) is not None:
        return family
    raise BadInput(
        f"{own.where} is {thing!r}; give a problem (a frozen dataclass that extends "
        "quickstudy.ExampleProblem), an Environment, or a family of Gymnasium environments, which "
        "has make, sample_task, set_task and horizon"
    )


def any_problem(value: Mapping[str, Any], scope: Scope) -> Problem:
    """The problem that a file says."""
    return read_settings(Problem, value, scope)
