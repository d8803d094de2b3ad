"""Print results rows for runs' folders, one for each evaluation, from what the runs wrote down.

    python results/row.py runs/a runs/b

A run must have been evaluated: `quickstudy train` does so at its end, `quickstudy evaluate` again.
"""

import json
import sys
from pathlib import Path
from typing import Any

HEAD = (
    "| what | result on test tasks | transductive | tasks | trained | machine | commit, date |",
    "|---|---|---|---|---|---|---|",
)


def flat(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe.json by the names of settings: today's nests, and that of version 0.1 was flat.

    Example:
        >>> flat({"memory": {"name": "gru", "width": 64}, "budget": {"steps": 7}})
        {'memory': 'gru', 'width': 64, 'steps': 7}
    """
    found: dict[str, Any] = {}
    for name, value in recipe.items():
        if not isinstance(value, dict):
            found[name] = value
            continue
        if chosen := value.get("name", value.get("own")):
            found[name] = chosen
        inner = {own: one for own, one in value.items() if own not in ("name", "own")}
        found |= {own: one for own, one in flat(inner).items() if own not in found}
    return found


def rows(folder: Path) -> str:
    """A row for each evaluation of a run, and the command below them."""
    recipe, environment = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("recipe", "environment")
    )
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    recipe, last, machine = flat(recipe), json.loads(lines[-1]), environment["machine"]
    trained = (
        f"{last['step']:,} of {recipe['steps']:,} steps, {last['seconds'] / 60:.1f} min",
        f"{machine['processor']}, {machine['cores']} cores",
        f"{environment['commit']}, {environment['date'][:10]}",
    )
    found, notes = [], [f"    {environment['command']}"]
    for file in sorted(folder.glob("evaluation-*.json")):
        name = file.stem.removeprefix("evaluation-")
        cells, path = measured(json.loads(file.read_text(encoding="utf-8")))
        what = f"{recipe['recipe']}, seed {recipe['seed']}, {name}"
        found.append(f"| {' | '.join((what, *cells, *trained))} |")
        if path:
            notes.append(f"{name}, after 0, 1, 2 ... inner steps: {path}")
    return "\n".join(found) + "\n\n" + "\n\n".join(notes)


def measured(evaluation: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """The cells of one evaluation, and its path in words."""
    metric = evaluation["metric"]
    cells = (
        written(evaluation["after"], metric),
        "yes" if evaluation["transductive"] else "no",
        f"{evaluation['episodes']:,}",
    )
    steps = enumerate(evaluation["path"])
    return cells, "; ".join(f"{step}: {written(value, metric)}" for step, value in steps)


def written(value: dict[str, Any], metric: str) -> str:
    """A mean and its interval; a mean that was not finite stands in the file as null."""
    if value["mean"] is None:
        return "diverges"
    if value["interval"] is None:
        value = value | {"interval": float("inf")}
    if metric == "accuracy":
        return f"{100 * value['mean']:.2f} ± {100 * value['interval']:.2f} %"
    return f"{value['mean']:.3f} ± {value['interval']:.3f}"


if __name__ == "__main__":
    print("\n".join(HEAD))
    for name in sys.argv[1:]:
        print(rows(Path(name)))
