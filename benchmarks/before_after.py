r"""Benchmarks of another checkout and of this one, in turns.

    git worktree add ../before COMMIT
    python benchmarks/before_after.py ../before "sinusoid_step.py" "rl.py --only random" \
                                      [--rounds 3] [--json FILE]

Each checkout runs its own scripts on its own library, in fresh processes, before and after by
turns; a row has the medians of both, and of the ratio in each round (above 1 is slower now). Rows
that one of them lacks are named. What others' code does, such as PyTorch's, shows how far the
machine itself changes.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from side_by_side import finish

HERE = Path(__file__).resolve().parents[1]
OUTCOMES = {"fastest peer"}
"""Columns of words that are measured; the others name a row."""
Numbers = dict[tuple[str, str], float]


def slower_if_more(column: str) -> bool | None:
    """Whether more is slower; None where a column tells no time, no rate and no memory."""
    words = column.replace(",", "").split()
    if any(word.endswith("/s") for word in words):
        return False
    return True if words[-1] in ("ms", "s", "MiB") else None


def numbers(rows: list[dict[str, Any]]) -> Numbers:
    """Times, rates and memory by the row's name and the column's."""
    found = {}
    for row in rows:
        named = {c: v for c, v in row.items() if not isinstance(v, float) and c not in OUTCOMES}
        name = ", ".join(str(value) for value in named.values() if value != "")
        for column, value in row.items():
            if isinstance(value, float) and slower_if_more(column) is not None:
                found[name, column] = value
    return found


def run(checkout: Path, command: str) -> Numbers:
    """What a script of a checkout measures."""
    script, *flags = shlex.split(command)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        words = [sys.executable, script, *flags, "--json", str(path)]
        own = os.environ | {"PYTHONPATH": str(checkout / "src")}
        print(f"{checkout.name}: {command}", file=sys.stderr, flush=True)
        subprocess.run(words, cwd=checkout / "benchmarks", env=own, check=True, stdout=sys.stderr)
        return numbers(json.loads(path.read_text())["rows"])


def compared(command: str, before: list[Numbers], after: list[Numbers]) -> list[dict[str, Any]]:
    """The rows of one script."""
    rows = []
    for name, column in before[0].keys() | after[0].keys():
        old, new = ([turn.get((name, column)) for turn in turns] for turns in (before, after))
        row = {"script": command.split()[0], "row": name, "column": column}
        if None in old or None in new:
            lacking = "before" if None in old else "after"
            rows.append({**row, "before": "", "after": "", "slower": f"lacking {lacking}"})
            continue
        ratios = [b / a if slower_if_more(column) else a / b for a, b in zip(old, new, strict=True)]
        middle = statistics.median
        rows.append({**row, "before": middle(old), "after": middle(new), "slower": middle(ratios)})
    return sorted(rows, key=lambda row: (row["row"], row["column"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("commands", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    rows = []
    for command in arguments.commands:
        before, after = [], []
        for _ in range(arguments.rounds):
            before.append(run(arguments.before.resolve(), command))
            after.append(run(HERE, command))
        rows += compared(command, before, after)
    finish(rows, {"commands": arguments.commands}, arguments.json)


if __name__ == "__main__":
    main()
