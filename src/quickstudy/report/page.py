"""One self-contained HTML page for a trained run: no scripts, nothing from the network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from quickstudy.evaluation import Estimate, Evaluation
from quickstudy.report import curves, svg
from quickstudy.report.confusion import Confusions, Pair, class_image, class_name
from quickstudy.report.figures import Fit, data_uri, of_class
from quickstudy.report.markup import STYLE, Html, linked, note, section, table
from quickstudy.report.table import written
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.task import Task

MOST_CLASSES, MOST_ITEMS = 20, 8
"""The most rows, and the most support or query images in a row, of the task that is shown."""


@dataclass(frozen=True)
class Story:
    """Everything that is told of a run.

    Attributes:
        run: its folder, as the user wrote it.
        recipe: the recipe's name.
        about: what the recipe says of itself: "must reach", "source" ...
        settings: name, value and default of every setting.
        environment: of the run's environment.json.
        metrics: of the run's metrics.jsonl.
        trained_on: what training tasks were, for example "20-way", if not as in test.
        tested_on: what test tasks are, for example "5-way 1-shot".
        evaluation: on test tasks, if there is one.
        shots: test results per number of shots.
        others: further evaluations, by name.
        tasks: the test distribution, if it draws images.
        episode: one test task of images, and the class `[n]` given to each query.
        confusions: the pairs of classes most often confused.
        fit: one regression, before and after.
        missing: why pictures are not there.
    """

    run: str
    recipe: str
    about: dict[str, str]
    settings: Sequence[tuple[str, Any, Any]]
    environment: dict[str, Any]
    metrics: Sequence[dict[str, Any]]
    trained_on: str = ""
    tested_on: str = ""
    evaluation: Evaluation | None = None
    shots: dict[int, Estimate] = field(default_factory=dict)
    others: dict[str, Evaluation] = field(default_factory=dict)
    tasks: Episodes | None = None
    episode: tuple[Task, np.ndarray] | None = None
    confusions: Confusions | None = None
    fit: Fit | None = None
    missing: str = ""


def page(story: Story) -> str:
    """The page as text.

    Example:
        >>> story = Story("runs/a", "maml-<x>", {}, [("steps", 10, 10)], {}, [])
        >>> "<h1>maml-&lt;x&gt;</h1>" in page(story)
        True
    """
    sections = [
        _headline(story),
        section("Training", _training(story)),
        section("Adaptation", _adaptation(story)),
        section("One task", _one_task(story)),
        section("Classes taken for each other", _confusions(story)),
        section("Settings", _settings(story.settings)),
        section("Cost and machine", _cost(story)),
    ]
    # The policy lets the page load nothing, whatever text a run brings with it.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(story.recipe)}: {escape(story.run)}</title>"
        f"<style>{STYLE}{svg.STYLE}</style></head>\n<body><main>\n"
        + "\n".join(filter(None, sections))
        + "\n</main></body></html>\n"
    )


def _headline(story: Story) -> str:
    found, machine = story.evaluation, story.environment.get("machine", {})
    rows: list[tuple[str, Any]] = []
    if found is not None:
        rows += [
            ("before adaptation", written(found.before, found.metric)),
            ("after adaptation", written(found.after, found.metric)),
            ("test tasks", f"{found.episodes:,}, never seen in training"),
            ("transductive", _transductive(found)),
        ]
    rows += [("best in validation", text) for text in _best_validation(story.metrics)]
    rows += [(name, linked(text)) for name, text in story.about.items()]
    seconds = [line["seconds"] for line in story.metrics if "seconds" in line]
    rows += [
        ("trained for", duration(seconds[-1]) if seconds else "unknown"),
        ("machine", f"{machine.get('processor', 'unknown')}, {machine.get('cores', '?')} cores"),
        ("commit", story.environment.get("commit") or "unknown"),
        ("folder", story.run),
    ]
    return f"<header><h1>{escape(story.recipe)}</h1>{_result(story)}</header>{table(rows)}"


def _result(story: Story) -> str:
    found = story.evaluation
    if found is None:
        return note("Not tested on unseen tasks yet. To test:", _test_command(story))
    tasks = f"{found.episodes:,} test tasks{', ' if story.tested_on else ''}{story.tested_on}"
    said = f"{found.metric.replace('_', ' ')} on {tasks}: mean and 95 % interval"
    return (
        f'<p class="result">{escape(written(found.after, found.metric))}</p><p>{escape(said)}</p>'
    )


def _transductive(found: Evaluation) -> str:
    return "yes: queries see each other" if found.transductive else "no: inductive"


def _best_validation(metrics: Sequence[dict[str, Any]]) -> list[str]:
    """What the learner that was kept reached in validation, and when."""
    lines = [line for line in metrics if "validation_score" in line]
    if not lines:
        return []
    best, name = max(lines, key=lambda line: line["validation_score"]), curves.metric_of(metrics)
    value = best[f"validation_{name}"]
    shown = f"{100 * value:.2f} %" if name == "accuracy" else f"{value:.4g}"
    return [f"{shown} at step {best['step']:,}"]


def _training(story: Story) -> str:
    if not story.metrics:
        return note("There are no curves: metrics.jsonl is empty or missing.")
    planned = {name: value for name, value, _ in story.settings}.get("steps", 0)
    last = story.metrics[-1]["step"]
    unfinished = (
        note(
            f"Stopped at step {last:,} of {planned:,}. To continue:",
            f"quickstudy train --resume {story.run}",
        )
        if last < planned
        else ""
    )
    return curves.training(story.metrics, story.trained_on) + unfinished


def _adaptation(story: Story) -> str:
    if story.evaluation is None:
        return note("This curve is measured by:", _test_command(story))
    parts = [curves.adaptation(story.evaluation, story.shots)]
    if not story.shots:
        parts.append(note("The curve over shots is measured by:", _test_command(story)))
    if story.others:
        rows = [
            (name, written(e.after, e.metric), f"{e.episodes:,}", _transductive(e))
            for name, e in story.others.items()
        ]
        head = ("other evaluation", "after adaptation", "tasks", "transductive")
        parts.append(table(rows, head))
    return "".join(parts)


def _one_task(story: Story) -> str:
    if story.missing:
        return note(story.missing)
    if story.fit is not None:
        return curves.regression(story.fit)
    if story.episode is None:
        return ""
    task, predicted = story.episode
    ways = min(task.support.ways or 0, MOST_CLASSES)
    rows = [
        (c + 1, _pictures(task.support.x, of_class(task.support, c, MOST_ITEMS)),
         _answered(task, predicted, c))
        for c in range(ways)
    ]  # fmt: skip
    share = float(np.mean(predicted == np.asarray(task.query.y)))
    said = note(
        f"A row is a class. {share:.0%} of all queries are right (✓); ✗ 3 was taken for class 3. "
        f"At most {MOST_ITEMS} images of a kind are shown."
    )
    return said + table(rows, ("class", "support", "queries"), "episode")


def _answered(task: Task, predicted: np.ndarray, c: int) -> Html:
    figures = []
    for i in of_class(task.query, c, MOST_ITEMS):
        right, taken = predicted[i] == c, int(predicted[i]) + 1
        kind, mark = ("right", "✓") if right else ("wrong", f"✗ {taken}")
        image = _picture(task.query.x[i], f"query of class {c + 1}, taken for class {taken}")
        figures.append(f'<figure class="{kind}">{image}<figcaption class="{kind}">{mark}'
                       "</figcaption></figure>")  # fmt: skip
    return Html(f'<div class="row">{"".join(figures)}</div>')


def _pictures(images: Any, which: Sequence[int]) -> Html:
    shown = "".join(f"<figure>{_picture(images[i], 'support image')}</figure>" for i in which)
    return Html(f'<div class="row">{shown}</div>')


def _picture(image: Any, alt: str) -> str:
    # Drawings, which have one channel, are ink on paper: the style inverts them in the dark.
    kind = ' class="drawing"' if image.shape[-1] == 1 else ""
    return f'<span><img{kind} src="{data_uri(image)}" alt="{escape(alt)}"></span>'


def _confusions(story: Story) -> str:
    found = story.confusions
    if found is None or story.tasks is None:
        return ""
    share = f"{found.wrong:,} of {found.queries:,} queries in {found.episodes:,} test tasks"
    if not found.pairs:
        return note(f"None: {share} were wrong.")
    cards = "".join(_pair(story.tasks, pair) for pair in found.pairs)
    said = note(
        f"{share} were wrong. These pairs were confused the most often (more tasks tell more: "
        "quickstudy report --episodes). A class is shown by one item, as it is in the data."
    )
    return f'{said}<ul class="pairs">{cards}</ul>'


def _pair(tasks: Episodes, pair: Pair) -> str:
    names = [class_name(tasks, c) for c in (pair.first, pair.second)]
    images = "".join(
        f"<figure>{_picture(class_image(tasks, c), name)}</figure>"
        for c, name in zip((pair.first, pair.second), names, strict=True)
    )
    ways = f"{pair.forth} left → right" + (f", {pair.back} right → left" if pair.back else "")
    return (
        f'<li><div class="row">{images}</div><p><b>{pair.count} of {pair.met}</b> queries: {ways}'
        f'<br><span class="note">{escape(names[0])} | {escape(names[1])}</span></p></li>'
    )


def _settings(settings: Sequence[tuple[str, Any, Any]]) -> str:
    rows = [
        (name, Html(f"<b>{escape(str(value))}</b>") if value != default else value, default)
        for name, value, default in settings
    ]
    changed = any(value != default for _, value, default in settings)
    said = "Bold: other than the recipe's default." if changed else "All as the recipe has them."
    return table(rows, ("setting", "value", "default")) + note(said)


def _cost(story: Story) -> str:
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


def _test_command(story: Story) -> str:
    return f"quickstudy evaluate {story.run}"
