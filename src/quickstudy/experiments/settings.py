"""Settings as values: frozen dataclasses that nest, where every choice has a name.

A value is written as JSON, `{"name": "gru", "width": 64}`, and read back without importing
anything: classes of the library are found by name, and a class of the user's own only in the
`Scope` that the user opened by naming its file.
"""

import abc
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args, get_origin

from quickstudy.errors import BadInput
from quickstudy.experiments.scope import NOTHING, Scope
from quickstudy.experiments.telling import told

LIBRARY = __name__.partition(".")[0]
_TAGS = ("name", "own")
_NUMBERS = {int: "a whole number", float: "a number"}
_WHOLE = (int, "int", int | None, "int | None")
MOST = 2**32
"""Whole numbers are smaller: NumPy's generators take no larger seed."""
KEPT: dict[str, Any] = {"kept": True}
"""Marks a field that a run keeps, and that is no flag."""


@dataclass(frozen=True)
class Settings:
    """Base of all values that settings are made of: numbers are finite, whole where the field is
    an int, and none is below 0 whose default is not."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, default = getattr(self, field.name), field.default
            # A bool is an int in Python, and has no range.
            if isinstance(default, bool) or not isinstance(default, int | float):
                continue
            if value is None and _may_be_none(type(self), field.name):
                continue
            _demand_number(field.name, value, default, int if field.type in _WHOLE else float)


def _demand_number(name: str, value: Any, default: float, wanted: type) -> None:
    if not isinstance(value, (int, wanted)):
        raise BadInput(f"{name} is {value!r}; give {_NUMBERS[wanted]}")
    if not math.isfinite(value) or value < 0 <= default:
        raise BadInput(f"{name} is {value}; give a finite number, of 0 or more")
    if isinstance(value, int) and value >= MOST:
        raise BadInput(f"{name} is {value}; give a number below {MOST}")


def _may_be_none(kind: type, name: str) -> bool:
    return type(None) in get_args(typing.get_type_hints(kind)[name])


@dataclass(frozen=True)
class Choice(Settings, abc.ABC):
    """A value that is one of several of its kind, chosen by name.

    A kind is a base class, such as `MemoryConfig`; its choices are the subclasses with a `name`.
    """

    name: ClassVar[str] = ""
    before: ClassVar[Mapping[str, Any]] = {}
    """Settings that files lack which are older than they are, as they were then."""

    def __init_subclass__(cls) -> None:
        """A choice of the user's own is called by its class, if it has no other name."""
        super().__init_subclass__()
        if cls.__module__.partition(".")[0] != LIBRARY and "name" not in vars(cls):
            cls.name = cls.__name__.lower()

    @classmethod
    def choices(cls) -> dict[str, type[Self]]:
        """The library's choices of this kind, by name, in the order of their definition."""
        found: dict[str, type[Self]] = {}
        for below in cls.__subclasses__():
            if vars(below).get("name") and below.__module__.partition(".")[0] == LIBRARY:
                found[below.name] = below
            found |= below.choices()
        return found


@dataclass(frozen=True)
class Own:
    """Something of the user's own, and where it is defined.

    Attributes:
        where: `FILE.py:NAME`, the file without its folder.
        thing: what stands there; no part of what is written or compared.
    """

    where: str
    thing: Any = None

    def __eq__(self, other: object) -> bool:
        # By the place: a file that is run again defines another object of the same code.
        return isinstance(other, Own) and self.where == other.where

    def __hash__(self) -> int:
        return hash(self.where)


def made(own: Own, *given: Any, **settings: Any) -> Any:
    """What a class or function of the user's own makes; an error inside it is raised as it is.

    Raises:
        BadInput: it cannot be called so, as where a method is missing or a field has no default.
    """
    try:
        return own.thing(*given, **settings)
    except (TypeError, AttributeError) as error:
        if told(error):  # by its own lines, which say more
            raise
        kinds = [*(type(one).__name__ for one in given), *(f"{name}=..." for name in settings)]
        name = own.where.rpartition(":")[2]
        raise BadInput(f"{own.where}: {name}({', '.join(kinds)}) fails: {error}") from error


def settings_json(value: Any) -> Any:
    """A value of settings as JSON.

    Example:
        >>> from quickstudy.experiments.networks import MLPConfig
        >>> settings_json(MLPConfig(width=8))
        {'name': 'mlp', 'width': 8, 'layers': 2}
    """
    if isinstance(value, Own):
        return {"own": value.where}
    if is_dataclass(value) and not isinstance(value, type):
        settings = {
            field.name: settings_json(getattr(value, field.name)) for field in fields(value)
        }
        return {**_named(value), **settings}
    if isinstance(value, Mapping):
        return {str(name): settings_json(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [settings_json(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _named(value: Any) -> dict[str, str]:
    """How the class of a value is found again."""
    kind = type(value)
    if kind.__module__.partition(".")[0] != LIBRARY:
        return {"own": place_of(kind)}
    return {"name": value.name} if isinstance(value, Choice) else {}


def place_of(thing: Any) -> str:
    """`FILE.py:NAME` of a class or function, the file without its folder.

    Example:
        >>> place_of(Own)
        'settings.py:Own'
    """
    import sys

    file = getattr(sys.modules.get(thing.__module__), "__file__", None)
    return f"{Path(file).name if file else thing.__module__}:{thing.__qualname__}"


def read_settings(kind: type, value: Any, scope: Scope = NOTHING) -> Any:
    """The value that `settings_json` wrote.

    Args:
        kind: what it is one of.
        value: JSON.
        scope: what the user has named.

    Raises:
        BadInput: a choice or a setting that this version does not know, a value of another type,
            or code of the user's own that is not in scope.

    Example:
        >>> from quickstudy.experiments.networks import NetworkConfig
        >>> read_settings(NetworkConfig, {"name": "mlp", "width": 8})
        MLPConfig(width=8, layers=2)
    """
    if not isinstance(value, Mapping):
        raise BadInput(f"the settings of a {kind.__name__} are {value!r}; they must be an object")
    if isinstance(value.get("own"), str):
        found = scope.find(str(value["own"]))
        kind = found if isinstance(found, type) else type(found)
    elif issubclass(kind, Choice):
        kind = _chosen(kind, str(value.get("name", "")))
    return read_settings_as(kind, value, scope)


def read_settings_as(kind: type, value: Mapping[str, Any], scope: Scope = NOTHING) -> Any:
    """The same, where the class is known already; see `read_settings`."""
    value = {**getattr(kind, "before", {}), **value}
    hints = typing.get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    settings = {name: one for name, one in value.items() if name in known or name not in _TAGS}
    if unknown := sorted(settings.keys() - known):
        raise BadInput(
            f"{getattr(kind, 'name', '') or kind.__name__} has no setting {', '.join(unknown)}; "
            "another version of quickstudy wrote it, which the run's environment.json names"
        )
    return kind(**{name: _leaf(hints[name], one, name, scope) for name, one in settings.items()})


def _chosen(kind: type[Choice], name: str) -> type[Choice]:
    choices = kind.choices()
    if name not in choices:
        raise BadInput(
            f"{name!r} is no {kind.__name__} of this version of quickstudy, which knows "
            f"{', '.join(choices)}"
        )
    return choices[name]


def _leaf(hint: Any, value: Any, name: str, scope: Scope) -> Any:
    """A setting as its field has it."""
    options = get_args(hint) if get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    if value is None and type(None) in options:
        return None
    hint = next(option for option in options if option is not type(None))
    if get_origin(hint) is Literal:
        if value in get_args(hint):
            return value
        raise BadInput(f"{name} is {value!r}; give one of {', '.join(map(str, get_args(hint)))}")
    if hint is Own:
        where: Any = value
        return Own(where["own"], scope.find(where["own"]))
    if isinstance(hint, type) and is_dataclass(hint):
        return read_settings(hint, value, scope)
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(tuple(one) if isinstance(one, list) else one for one in value)
    _demand_type(hint, value, name)
    return Path(str(value)) if hint is Path else value


def _demand_type(hint: Any, value: Any, name: str) -> None:
    wanted: Any = {int: int, float: (int, float), str: str, bool: bool, Path: str}.get(hint, object)
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint in _NUMBERS):
        raise BadInput(f"{name} is {value!r}; give {_NUMBERS.get(hint, f'a {hint.__name__}')}")
