"""What can be shown of a learner on test tasks."""

from typing import Any

import equinox as eqx
from jaxtyping import PRNGKeyArray

from quickstudy.experiments.pictures.confusion import confusions
from quickstudy.experiments.pictures.regression import regression, regression_chart
from quickstudy.experiments.pictures.task_images import MOST_ITEMS, TaskImages, task_images
from quickstudy.experiments.sections import Note, Section
from quickstudy.learners.learner import Learner
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.sinusoid import Sinusoid

CONFUSED = (
    "These pairs were confused the most often (more tasks tell more: quickstudy report "
    "--episodes). A class is shown by one item, as it is in the data."
)


def seen(learner: Learner, tasks: Any, key: PRNGKeyArray, *, episodes: int = 200) -> list[Section]:
    """One task, and the classes that are taken for each other; nothing of other tasks.

    Args:
        learner: trained.
        tasks: of meta-test.
        key: consumed; that of an evaluation, for the same tasks.
        episodes: in how many tasks to look for confused classes.
    """
    if isinstance(tasks, Sinusoid):
        return [Section("One task", [regression_chart(regression(learner, tasks, key))])]
    images = first_task(learner, tasks, key)
    if images is None:
        return []
    said = Note(
        f"A row is a class. {100 * images.share:.0f} % of all queries are right (✓); ✗ 3 was taken "
        f"for class 3. At most {MOST_ITEMS} images of a kind are shown."
    )
    sections = [Section("One task", [said, images])]
    if isinstance(tasks, Episodes):
        found = confusions(learner, tasks, episodes=episodes, key=key)
        share = (
            f"{found.wrong:,} of {found.queries:,} queries in {episodes:,} test tasks were wrong"
        )
        blocks = [Note(f"{share}. {CONFUSED}"), found] if found.pairs else [Note(f"None: {share}.")]
        sections.append(Section("Classes taken for each other", blocks))
    return sections


def first_task(learner: Learner, tasks: Any, key: PRNGKeyArray) -> TaskImages | None:
    """The task `tasks.sample(key)` as images, if it is of images and has classes."""
    # Compiled as a whole: one operation after the other takes many times longer.
    task = eqx.filter_jit(tasks.sample)(key)
    x = task.support.x
    if task.support.ways is None or x.ndim != 4 or x.shape[-1] not in (1, 3):
        return None
    return task_images(learner, task)
