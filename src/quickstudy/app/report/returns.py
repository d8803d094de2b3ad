"""What a policy earned, as a table and as a picture: beside the optimum, never alone."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table

from quickstudy.app.report.stages import cells, heads
from quickstudy.evaluation.trials import Returns, TrialEvaluation

COLOURS = ("#9a6700", "#1a7f37", "#8250df", "#c62828", "#0a7ea4", "#57606a", "#bf3989")
POLICY = "#1f4e9c"


def returns_table(evaluation: TrialEvaluation, recipe: str, split: str, folder: Path) -> Table:
    """Rewards of the whole trial and of its first and last episode, or after every update.

    Args:
        evaluation: of `quickstudy.evaluate_policy`.
        recipe: its name.
        split: the name of the split.
        folder: where JSON and pictures are.
    """
    table = Table(
        title=f"{recipe}, {split} MDPs",
        caption=f"{evaluation.trials:,} {'tasks' if evaluation.stage == 'update' else 'trials'}; "
        f"{folder}",
    )
    table.add_column("reward")
    for column in heads(evaluation):
        table.add_column(column)
    for name, returns in _rows(evaluation):
        shown = f"[bold]{name}[/bold]" if returns is evaluation.policy else name
        table.add_row(shown, *cells(returns, evaluation))
    return table


def returns_figure(evaluation: TrialEvaluation) -> Figure:
    """The reward of each episode: the policy's with its 95 % interval, and the references'."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for (name, returns), colour in zip(
        _rows(evaluation), (POLICY, *COLOURS * len(evaluation.references)), strict=False
    ):
        first = 1 if evaluation.stage == "episode" else 0
        episodes = range(first, first + len(returns.episodes))
        means = [estimate.mean for estimate in returns.episodes]
        style = "-" if returns is evaluation.policy else "--"
        axes.plot(episodes, means, style, color=colour, lw=1.6, label=name)
        low, high = ([e.mean + sign * e.interval for e in returns.episodes] for sign in (-1, 1))
        axes.fill_between(episodes, low, high, color=colour, alpha=0.15, lw=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    episodic = evaluation.stage == "episode"
    axes.set_xlabel("episode of the trial" if episodic else "updates")
    axes.set_ylabel("reward of the episode")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    figure.suptitle(f"{evaluation.trials:,} trials, each in an MDP drawn anew", fontsize=10)
    return figure


def _rows(evaluation: TrialEvaluation) -> list[tuple[str, Returns]]:
    return [("policy", evaluation.policy), *evaluation.references.items()]
