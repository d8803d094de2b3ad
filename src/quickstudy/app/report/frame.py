"""What the pages of all runs share: the document itself, settings, cost and what was reached."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from quickstudy.app.report import curves, svg
from quickstudy.app.report.markup import STYLE, Html, linked, note, table


def document(title: str, sections: Iterable[str]) -> str:
    """A whole page: no scripts, and nothing from the network.

    Example:
        >>> "<title>a &lt; b</title>" in document("a < b", ["<p>hello</p>"])
        True
    """
    # The policy lets the page load nothing, whatever text a run brings with it.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title>"
        f"<style>{STYLE}{svg.STYLE}</style></head>\n<body><main>\n"
        + "\n".join(filter(None, sections))
        + "\n</main></body></html>\n"
    )


def origin(story: Any) -> list[tuple[str, Any]]:
    """What was reached in validation, what the recipe says, how long it took, and where it is."""
    machine = story.environment.get("machine", {})
    rows: list[tuple[str, Any]] = []
    rows += [("best in validation", text) for text in _best_validation(story.metrics)]
    rows += [(name, linked(text)) for name, text in story.about.items()]
    seconds = [line["seconds"] for line in story.metrics if "seconds" in line]
    rows += [
        ("trained for", duration(seconds[-1]) if seconds else "unknown"),
        ("machine", f"{machine.get('processor', 'unknown')}, {machine.get('cores', '?')} cores"),
        ("commit", story.environment.get("commit") or "unknown"),
        ("folder", story.run),
    ]
    return rows


def training(story: Any, drawn: Html) -> str:
    """The curves, and how to continue where training stopped before its end."""
    if not story.metrics:
        return note("There are no curves: metrics.jsonl is empty or missing.")
    planned = {name: value for name, value, _ in story.settings}.get("steps", 0)
    last = story.metrics[-1]["step"]
    if last >= planned:
        return drawn
    return drawn + note(
        f"Stopped at step {last:,} of {planned:,}. To continue:",
        f"quickstudy train --resume {story.run}",
    )


def test_command(story: Any) -> str:
    """What measures a run."""
    return f"quickstudy evaluate {story.run}"


def _best_validation(metrics: Sequence[dict[str, Any]]) -> list[str]:
    """What the learner that was kept reached in validation, and when."""
    lines = [line for line in metrics if "validation_score" in line]
    if not lines:
        return []
    best, name = max(lines, key=lambda line: line["validation_score"]), curves.metric_of(metrics)
    value = best[f"validation_{name}"]
    shown = f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.4g}"
    return [f"{shown} at step {best['step']:,}"]


def settings_table(settings: Sequence[tuple[str, Any, Any]]) -> str:
    """Every setting beside its default."""
    rows = [
        (name, Html(f"<b>{escape(str(value))}</b>") if value != default else value, default)
        for name, value, default in settings
    ]
    changed = any(value != default for _, value, default in settings)
    said = "Bold: other than the recipe's default." if changed else "All as the recipe has them."
    return table(rows, ("setting", "value", "default")) + note(said)


def cost(story: Any) -> str:
    """Steps, seconds, tasks per second, and the machine."""
    timed = [line for line in story.metrics if "seconds" in line]
    rows: list[tuple[str, Any]] = []
    if timed:
        first, last = timed[0], timed[-1]
        steps = last["step"] - first["step"]
        rows += [("steps", f"{last['step']:,}"), ("total time", duration(last["seconds"]))]
        rows.append((f"until step {first['step']:,}, with compilation", duration(first["seconds"])))
        if steps:
            each = (last["seconds"] - first["seconds"]) / steps
            rows.append(("a step after that, with validation", f"{each:.3g} s"))
            batch = {name: value for name, value, _ in story.settings}.get("meta_batch")
            if batch and each:
                rows.append(("tasks per second, so", f"{batch / each:,.3g}"))
    rows += _flat(story.environment)
    return table(rows)


def _flat(value: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Names and values of nested dictionaries."""
    rows = []
    for name, inner in value.items():
        if isinstance(inner, dict):
            rows += _flat(inner, f"{prefix}{name} ")
        else:
            shown = ", ".join(map(str, inner)) if isinstance(inner, list) else inner
            rows.append((prefix + name, "unknown" if shown is None else shown))
    return rows


def duration(seconds: float) -> str:
    """A time as a person says it.

    Example:
        >>> duration(3.14), duration(75), duration(7265)
        ('3.1 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
