"""`quickstudy compare RUN RUN`: methods on the same tasks, by their paired differences."""

from dataclasses import dataclass
from pathlib import Path

from quickstudy.app.flags import demand_read, flags_of, parse
from quickstudy.app.running import paths_first

USAGE = "compare RUN RUN ..."
ABOUT = (
    "Compare runs that were tested on the same tasks: the result of each, and the paired "
    "difference of every other to the first, with its 95 % interval over tasks. A RUN is a run's "
    "folder, or one of its evaluation-*.json files."
)


@dataclass(frozen=True)
class CompareOptions:
    """What is written."""

    json: Path | None = None
    """Also write the comparison to this file."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    flags = flags_of(CompareOptions())
    paths, rest = paths_first(arguments, USAGE, flags, least=2, about=ABOUT)
    demand_read(flags, rest, {})
    options = CompareOptions(**parse(flags, rest, prog=f"quickstudy {USAGE}", description=ABOUT))
    from rich.console import Console
    from rich.text import Text

    from quickstudy.experiments.comparison import compared
    from quickstudy.experiments.result import terminal_table
    from quickstudy.writing import demand_files, write_json

    demand_files(json=options.json)
    found = compared(paths)
    Console().print(terminal_table(found.grid(), caption=Text("\n".join(found.facts()))))
    if options.json is not None:
        write_json(options.json, found.to_json())
        print(f"wrote {options.json}")
