"""Flags made of values: every setting that this method, problem and command read, and no other.

A value of settings nests; on the command line it is flat. `--memory gru` chooses, and the settings
of what is chosen are flags beside it. Hence what a run would not read has no flag, and a flag that
belongs to something else is refused by a message that says to what.
"""

import dataclasses
import difflib
import itertools
import types
import typing
from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import tyro

from quickstudy.app.docstrings import field_docs
from quickstudy.errors import BadInput
from quickstudy.experiments.networks import NetworkConfig, OwnNetworkConfig
from quickstudy.experiments.settings import Choice, Own


@dataclass(frozen=True)
class Flag:
    """One flag.

    Attributes:
        name: of the field, with underscores.
        hint: its type.
        help: what the field's docstring says.
        default: what it is without the flag.
    """

    name: str
    hint: Any
    help: str
    default: Any

    @property
    def spelled(self) -> str:
        """As it is typed, without the dashes in front; `with_` is `with`, a word of Python's."""
        return self.name.rstrip("_").replace("_", "-")

    @property
    def names(self) -> set[str]:
        """All that can be typed for it: `--no-validate` beside `--validate`."""
        negated = {f"no-{self.spelled}"} if isinstance(self.default, bool) else set[str]()
        return {self.spelled} | negated


def flags_of(value: Any, hidden: Collection[str] = ()) -> list[Flag]:
    """The flags of a value of settings, with those of the choices in it.

    Example:
        >>> from quickstudy.experiments.networks import MLPConfig
        >>> [flag.spelled for flag in flags_of(MLPConfig())]
        ['width', 'layers']
    """
    found: list[Flag] = []
    hints, docs = typing.get_type_hints(type(value)), field_docs(type(value))
    for field in dataclasses.fields(value):
        now = getattr(value, field.name)
        if field.metadata.get("kept") or field.name in hidden or isinstance(now, Own):
            continue
        if isinstance(now, Choice):
            found.append(Flag(field.name, _names(hints[field.name]), docs[field.name], now.name))
            found += flags_of(now, hidden)
        else:
            found.append(Flag(field.name, hints[field.name], docs[field.name], now))
    return found


def with_flags(value: Any, parsed: Mapping[str, Any]) -> Any:
    """The value with what was parsed in the place of its leaves."""
    changed = {}
    for field in dataclasses.fields(value):
        now = getattr(value, field.name)
        if isinstance(now, Choice):
            changed[field.name] = with_flags(now, parsed)
        elif field.name in parsed and not (isinstance(now, Own) or field.metadata.get("kept")):
            changed[field.name] = parsed[field.name]
    return dataclasses.replace(value, **changed) if changed else value


def with_choices(value: Any, arguments: Sequence[str]) -> Any:
    """The value with the choices that the arguments name, each with its own defaults.

    Example:
        >>> from quickstudy.experiments.methods.matching import MatchingConfig
        >>> with_choices(MatchingConfig(), ["--context", "full"]).context.reads
        5
    """
    hints, changed = typing.get_type_hints(type(value)), {}
    for field in dataclasses.fields(value):
        now = getattr(value, field.name)
        if not isinstance(now, Choice):
            continue
        # Looked for before tyro parses anything: which flags there are depends on what is chosen.
        asked = value_of(field.name, arguments)
        kept = now if asked in (None, now.name) else _choice(hints[field.name], asked, field.name)
        changed[field.name] = with_choices(kept, arguments)
    return dataclasses.replace(value, **changed) if changed else value


def value_of(name: str, arguments: Sequence[str]) -> str | None:
    """What the arguments give for a flag, if they give it."""
    found = values_of(name, arguments)
    return None if found is None else "".join(found[:1])


def values_of(name: str, arguments: Sequence[str]) -> list[str] | None:
    """All that the arguments give for a flag, up to the next flag.

    Example:
        >>> values_of("recipe", ["--recipe", "a.py:A", "b.py:B", "--seed", "1"])
        ['a.py:A', 'b.py:B']
    """
    found = None
    for i, here in enumerate(arguments):
        if _spelled(here) == name.replace("_", "-"):
            with_equals = [here.partition("=")[2]] if "=" in here else []
            rest = itertools.takewhile(lambda one: not one.startswith("--"), arguments[i + 1 :])
            found = with_equals or list(rest)
    return found


def _spelled(argument: str) -> str:
    """The flag that an argument is, without dashes in front; nothing if it is none."""
    name = argument.partition("=")[0].replace("_", "-")
    return name[2:] if name.startswith("--") else ""


def demand_once(names: Container[str], arguments: Sequence[str]) -> None:
    """Refuse a flag of these names that is given twice, where the last would win in silence."""
    seen = set()
    for name in map(_spelled, arguments):
        flag = name if name in names else name.removeprefix("no-")
        if flag and flag in seen:
            raise BadInput(f"--{name} is given twice; give it once")
        seen.add(flag)


def _kind(hint: Any) -> type[Choice]:
    options = [one for one in (get_args(hint) or (hint,)) if one is not type(None)]
    return options[0]


def _names(hint: Any) -> Any:
    names = tuple(_kind(hint).choices())
    # A network may also stand in a file, so that its flag takes any text.
    return "|".join(names) if issubclass(_kind(hint), NetworkConfig) else Literal[names]


def _choice(hint: Any, name: str, field: str) -> Choice:
    kind = _kind(hint)
    if issubclass(kind, NetworkConfig):
        from quickstudy.experiments.own import from_file, is_file

        if is_file(name):
            own = from_file(name)
            return own.thing if isinstance(own.thing, NetworkConfig) else OwnNetworkConfig(own)
    choices = {n: one for n, one in kind.choices().items() if one is not OwnNetworkConfig}
    if name not in choices:
        near = difflib.get_close_matches(name, choices, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        code = ", or PATH.py:NAME" if issubclass(kind, NetworkConfig) else ""
        raise BadInput(f"--{field} is {name!r}; {hint}give one of {', '.join(choices)}{code}")
    return choices[name]()


def parse(
    flags: Sequence[Flag], arguments: Sequence[str], *, prog: str, description: str
) -> dict[str, Any]:
    """The values of all flags, by the names of their fields.

    Args:
        flags: in the order in which help lists them.
        arguments: what the user typed.
        prog: the command, for help.
        description: what it does.
    """
    names = Counter(name for flag in flags for name in flag.names)
    demand_once({flag.spelled for flag in flags}, arguments)
    if twice := [name for name, count in names.items() if count > 1]:
        raise BadInput(
            f"two settings would share the flag --{twice[0]}; rename the field of your own code"
        )
    for flag in flags:
        _demand_plain(flag)
    fields = [(flag.name, _typed(flag), flag.default) for flag in flags]
    kind = dataclasses.make_dataclass("Arguments", fields, frozen=True)
    return vars(tyro.cli(kind, args=list(arguments), prog=prog, description=description))


def _demand_plain(flag: Flag) -> None:
    """Raise `BadInput` if no flag can give what a setting is, as of a dict or a function."""
    parts = flag.default if isinstance(flag.default, tuple) else (flag.default,)
    if not all(isinstance(one, int | float | str | Path | tuple | None) for one in parts):
        raise BadInput(
            f"the setting {flag.name} is {flag.default!r}, which no flag can give; a setting is a "
            "number, a text, true or false, None, or a tuple of these: change the field "
            f"{flag.name} of your own code"
        )


def _typed(flag: Flag) -> Any:
    """The type of a flag, and how help shows it."""
    how: dict[str, Any] = {"help": flag.help.replace("%", "%%")}
    if flag.name.endswith("_"):
        how["name"] = flag.spelled
    hint = flag.hint
    if isinstance(hint, str):  # the names of networks
        names = hint.replace("own", "PATH.py:NAME")
        return Annotated[str, tyro.conf.arg(metavar=names, **how)]
    if get_origin(hint) in (types.UnionType, typing.Union) and type(None) in get_args(hint):
        (inner,) = (one for one in get_args(hint) if one is not type(None))
        plain = getattr(inner, "__name__", "TEXT").upper()
        choices = "|".join(map(str, get_args(inner)))
        named = choices if get_origin(inner) is Literal else plain
        how |= {"metavar": {"STR": "TEXT"}.get(named, named), "help_behavior_hint": ""}
        return Annotated[hint, tyro.conf.arg(**how)]
    if flag.default == ():
        how["help_behavior_hint"] = ""
    return Annotated[hint, tyro.conf.arg(**how)]


def demand_read(
    flags: Sequence[Flag], arguments: Sequence[str], elsewhere: Mapping[str, str]
) -> None:
    """Refuse flags that this run does not read.

    Args:
        flags: those that it reads.
        arguments: what the user typed.
        elsewhere: other flags, and what reads them.

    Raises:
        BadInput: names the flag, what reads it if anything does, or the nearest that is read.
    """
    names = {"help"}.union(*(flag.names for flag in flags))
    for argument in arguments:
        name = _spelled(argument)
        if not argument.startswith("--") or name in names:
            continue
        if name in elsewhere:
            raise BadInput(f"--{name} is not read by this run: {elsewhere[name]}; leave it out")
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean --{near[0]}?" if near else "--help lists the flags that there are"
        raise BadInput(f"there is no flag --{name} here; {hint}")


def unchosen(value: Any, parent: str = "") -> dict[str, str]:
    """The flags of choices that were not made, and which choice reads them.

    Example:
        >>> from quickstudy.experiments.methods.matching import MatchingConfig
        >>> unchosen(MatchingConfig())["reads"]
        'it belongs to --context full, and here --context is none'
    """
    found: dict[str, str] = {}
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        now = getattr(value, field.name)
        if not isinstance(now, Choice):
            continue
        flag = f"--{field.name.replace('_', '-')}"
        for name, other in _kind(hints[field.name]).choices().items():
            for own in dataclasses.fields(other):
                said = f"it belongs to {flag} {name}, and here {flag} is {now.name}"
                found.setdefault(own.name.replace("_", "-"), said)
        found |= unchosen(now)
    return found
