"""One self-contained HTML page for a trained run: no scripts, nothing from the network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from quickstudy.app.report import curves
from quickstudy.app.report.confusion import Confusions, Pair, class_image, class_name
from quickstudy.app.report.figures import Fit, data_uri, of_class
from quickstudy.app.report.frame import (
    cost,
    document,
    origin,
    settings_table,
    test_command,
    training,
)
from quickstudy.app.report.markup import Html, note, section, table
from quickstudy.app.report.table import written
from quickstudy.evaluation.tasks import Estimate, Evaluation
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
        section("Training", training(story, _curves(story))),
        section("Adaptation", _adaptation(story)),
        section("One task", _one_task(story)),
        section("Classes taken for each other", _confusions(story)),
        section("Settings", settings_table(story.settings)),
        section("Cost and machine", cost(story)),
    ]
    return document(f"{story.recipe}: {story.run}", sections)


def _headline(story: Story) -> str:
    found = story.evaluation
    rows: list[tuple[str, Any]] = []
    if found is not None:
        rows += [
            ("before adaptation", written(found.before, found.metric)),
            ("after adaptation", written(found.after, found.metric)),
            ("test tasks", f"{found.episodes:,}, never seen in training"),
            ("transductive", _transductive(found)),
        ]
    rows += origin(story)
    return f"<header><h1>{escape(story.recipe)}</h1>{_result(story)}</header>{table(rows)}"


def _result(story: Story) -> str:
    found = story.evaluation
    if found is None:
        return note("Not tested on unseen tasks yet. To test:", test_command(story))
    tasks = f"{found.episodes:,} test tasks{', ' if story.tested_on else ''}{story.tested_on}"
    said = f"{found.metric.replace('_', ' ')} on {tasks}: mean and 95 % interval"
    return (
        f'<p class="result">{escape(written(found.after, found.metric))}</p><p>{escape(said)}</p>'
    )


def _transductive(found: Evaluation) -> str:
    return "yes: queries see each other" if found.transductive else "no: inductive"


def _curves(story: Story) -> Html:
    return curves.training(story.metrics, story.trained_on) if story.metrics else Html("")


def _adaptation(story: Story) -> str:
    if story.evaluation is None:
        return note("This curve is measured by:", test_command(story))
    parts = [curves.adaptation(story.evaluation, story.shots)]
    if not story.shots:
        parts.append(note("The curve over shots is measured by:", test_command(story)))
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
