"""Runs as they are kept beside the tables: one small JSON file each, without weights and scores.

    python results/kept.py omniglot runs/omniglot/maml runs/omniglot/anil

writes results/runs/omniglot/maml.json and anil.json. `tables.py` prints tables from these files, or
from runs' folders.
"""

import json
import sys
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "runs"
LONG = ("scores", "classes")  # what an evaluation says of every task and of every class
MANY = 6  # more episodes of a trial than this are not told one by one


def run(path: Path) -> dict[str, Any]:
    """A run by what it wrote, from its folder or from the file that was kept of it.

    Keys: `name`, `recipe`, `environment`, `trained` (the last step and its seconds) and
    `evaluations`, by their names: "test", "test-5-shot".
    """
    if path.suffix == ".json":
        return _read(path)
    last = json.loads((path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    evaluations = {
        file.stem.removeprefix("evaluation-"): _short(_read(file))
        for file in sorted(path.glob("evaluation-*.json"))
    }
    return {
        "name": path.name,
        "recipe": _read(path / "recipe.json"),
        "environment": _environment(path),
        "trained": {"step": last["step"], "seconds": round(last["seconds"], 1)},
        "evaluations": evaluations,
    }


def runs(folder: Path) -> list[dict[str, Any]]:
    """All runs of a folder, in the order of their names."""
    found = [*folder.glob("*.json"), *(file.parent for file in folder.glob("*/metrics.jsonl"))]
    return [run(path) for path in sorted(found, key=lambda path: path.stem)]


def keep(table: str, folder: Path) -> Path:
    """Write what is kept of a run."""
    file = KEPT / table / f"{folder.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(run(folder), indent=1) + "\n", encoding="utf-8")
    return file


def _environment(path: Path) -> dict[str, Any]:
    """What ran and where, by commands that name no folder of that machine."""
    found = _read(path / "environment.json")
    words = found["command"].split(" ")
    for option in ("--run", "--resume", "--data"):
        if option in words:
            at = words.index(option)
            words[at + 1] = f"runs/{path.name}" if option != "--data" else "DATA"
    return found | {"command": " ".join(words)}


def _short(evaluation: dict[str, Any]) -> dict[str, Any]:
    short = {name: value for name, value in evaluation.items() if name not in LONG}
    if "policy" in short:
        beside = {name: _total(found) for name, found in short["references"].items()}
        short |= {"policy": _total(short["policy"]), "references": beside}
    return short


def _total(returns: dict[str, Any]) -> dict[str, Any]:
    """Returns without those of each episode, where there are many."""
    return {name: value for name, value in returns.items() if name == "total" or len(value) <= MANY}


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for name in sys.argv[2:]:
        print(keep(sys.argv[1], Path(name)))
