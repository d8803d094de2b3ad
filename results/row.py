"""Print a results row for each run's folder, from what the run itself wrote down.

    python results/row.py runs/a runs/b

A run must have been evaluated: `quickstudy train` does so at its end, `quickstudy evaluate` again.
"""

import json
import sys
from pathlib import Path

HEAD = (
    "| what | result on test tasks | transductive | tasks | trained | machine | commit, date |",
    "|---|---|---|---|---|---|---|",
)


def row(folder: Path) -> str:
    """The row of one run, and the command below it."""
    recipe, environment, evaluation = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("recipe", "environment", "evaluation-test")
    )
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    machine = environment["machine"]
    cells = (
        f"{recipe['recipe']}, seed {recipe['seed']}",
        written(evaluation["after"], evaluation["metric"]),
        "yes" if evaluation["transductive"] else "no",
        f"{evaluation['episodes']:,}",
        f"{last['step']:,} of {recipe['steps']:,} steps, {last['seconds'] / 60:.1f} min",
        f"{machine['processor']}, {machine['cores']} cores",
        f"{environment['commit']}, {environment['date'][:10]}",
    )
    path = "; ".join(
        f"{step}: {written(value, evaluation['metric'])}"
        for step, value in enumerate(evaluation["path"])
    )
    note = f"\n\nafter 0, 1, 2 ... inner steps: {path}" if path else ""
    return f"| {' | '.join(cells)} |\n\n    {environment['command']}{note}"


def written(value: dict[str, float], metric: str) -> str:
    """A mean and its interval."""
    if metric == "accuracy":
        return f"{100 * value['mean']:.2f} ± {100 * value['interval']:.2f} %"
    return f"{value['mean']:.3f} ± {value['interval']:.3f}"


if __name__ == "__main__":
    print("\n".join(HEAD))
    for name in sys.argv[1:]:
        print(row(Path(name)))
