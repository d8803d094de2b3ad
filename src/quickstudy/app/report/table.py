"""The table at the end of a training or an evaluation."""

from pathlib import Path

from rich.table import Table

from quickstudy.evaluation.tasks import Estimate, Evaluation
from quickstudy.tasks.task import TaskDistribution
from quickstudy.tasks.varying import Varying


def evaluation_table(
    evaluation: Evaluation, tasks: TaskDistribution, split: str, folder: Path
) -> Table:
    """What was measured, on what, and where the details are.

    Args:
        evaluation: of `quickstudy.evaluate`.
        tasks: the distribution that was tested; its shape is named.
        split: the name of the split.
        folder: where JSON and pictures are.
    """
    name = evaluation.metric.replace("_", " ")
    table = Table(title=f"{_shape(tasks)}, {split} tasks", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")  # a folder's name is there to be copied
    table.add_row(f"{name} before adaptation", written(evaluation.before, evaluation.metric))
    after = written(evaluation.after, evaluation.metric)
    table.add_row(f"{name} after adaptation", f"[bold]{after}[/bold]")
    table.add_row("", "mean and 95 % interval over tasks")
    table.add_row("tasks", f"{evaluation.episodes:,}")
    kind = "yes: queries see each other" if evaluation.transductive else "no: inductive"
    table.add_row("transductive", kind)
    table.add_row("folder", str(folder))
    return table


def written(estimate: Estimate, metric: str) -> str:
    """An estimate as a person writes it.

    Example:
        >>> written(Estimate(0.98765, 0.00123), "accuracy")
        '98.77 ± 0.12 %'
    """
    if metric == "accuracy":
        return f"{100 * estimate.mean:.2f} ± {100 * estimate.interval:.2f} %"
    # What is known exactly has an interval of rounding errors.
    interval = 0.0 if estimate.interval < 1e-12 * abs(estimate.mean) else estimate.interval
    return f"{estimate.mean:.4g} ± {interval:.2g}"


def _shape(tasks: TaskDistribution) -> str:
    if isinstance(tasks, Varying):
        most = tasks.episodes
        return f"{tasks.ways}- to {most.ways}-way {tasks.shots}- to {most.shots}-shot"
    ways, shots = getattr(tasks, "ways", None), getattr(tasks, "shots", None)
    if ways is not None:
        return f"{ways}-way {shots}-shot"
    return f"{shots} support points" if shots is not None else type(tasks).__name__
