"""`quickstudy export RUN FILE`: what was learned as one file."""

from dataclasses import dataclass
from pathlib import Path

from quickstudy.app.flags import demand_read, flags_of, parse
from quickstudy.app.running import first_argument
from quickstudy.errors import BadInput


@dataclass(frozen=True)
class ExportOptions:
    """How a run is opened."""

    recipe: tuple[str, ...] = ()
    """PATH.py:NAME of the code of your own that the run was made with; several, if it is
    in several files."""


ABOUT = "Write what a run learned as one safetensors file, with its recipe in the header."


def main(arguments: list[str]) -> None:
    """Parse and run."""
    run, rest = first_argument(arguments, "export RUN FILE", ExportOptions, ABOUT)
    if not rest or rest[0].startswith("-"):
        raise BadInput(f"name the file to write: quickstudy export {run} FILE.safetensors")
    file, flags = Path(rest[0]), flags_of(ExportOptions())
    demand_read(flags, rest[1:], {})
    values = parse(flags, rest[1:], prog=f"quickstudy export {run} {file}", description=ABOUT)
    from quickstudy.experiments.saved import copy_exported

    copy_exported(run, file, values["recipe"] or None)
    named = f", recipe={list(values['recipe'])}" if values["recipe"] else ""
    print(f"wrote {file}; read it with quickstudy.load({str(file)!r}{named})")
