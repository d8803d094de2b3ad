"""Contestants timed in turns, so that whatever else the machine does hits them all alike."""

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Contestant = Callable[[], Any]

PACKAGES = ("quickstudy", "jax", "jaxlib", "torch", "higher", "torchopt", "learn2learn")


def seconds(
    contestants: dict[str, Contestant],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of every contestant in every round, after one call to warm up.

    A contestant must return only when its result is there. On a machine that others use, too,
    `time.process_time` is the steadier clock: the processor time of all threads together.
    """
    for run in contestants.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = clock()
            run()
            times[name].append(clock() - start)
    return times


def milliseconds(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: 1e3 * statistics.median(t) for name, t in times.items()}


def machine() -> dict[str, Any]:
    """What ran, and where."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0].split(":")[1].strip() if models else cpu
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "versions": versions,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of equal keys as a Markdown table."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def finish(rows: list[dict[str, Any]], extra: dict[str, Any], path: str | None) -> None:
    """Print the table and the machine, and write them as JSON if asked to."""
    print(table(rows))
    found = {"machine": machine(), **extra, "rows": rows}
    print(json.dumps({key: value for key, value in found.items() if key != "rows"}, indent=2))
    if path:
        Path(path).write_text(json.dumps(found, indent=2) + "\n")


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
