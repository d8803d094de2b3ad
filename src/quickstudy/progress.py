"""How far a long job is: a bar on a terminal, plain lines elsewhere, nothing by default."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from quickstudy.errors import BadInput

Counter = Callable[[str, int, int | None], None]
"""Called as `counter(what, done, total)` while files are read or fetched; `total` may be None."""


def silent(what: str, done: int, total: int | None) -> None:
    """The counter that shows nothing."""


@runtime_checkable
class Stream(Protocol):
    """Where text can be written: an open file, `sys.stderr`."""

    def write(self, text: str, /) -> Any:
        """Write it."""
        ...

    def flush(self) -> Any:
        """Let readers see it."""
        ...


@runtime_checkable
class Reporter(Protocol):
    """What training tells of itself while it runs."""

    def start(self, step: int, steps: int) -> None:
        """Training begins at `step` of `steps`."""
        ...

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """`step` steps are done; `metrics` are the newest values."""
        ...

    def close(self) -> None:
        """Training ended, however it did."""
        ...


class Silent:
    """Says nothing."""

    def start(self, step: int, steps: int) -> None:
        """Nothing."""

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Lines:
    """A plain line every few seconds, for logs.

    Args:
        stream: where the lines go.
        every: seconds between lines; lines with a validation always appear.
    """

    def __init__(self, stream: Stream | None = None, *, every: float = 5.0):
        self.stream, self.every = stream or sys.stderr, every
        self._last = -float("inf")
        self._first: tuple[int, float] | None = None

    def start(self, step: int, steps: int) -> None:
        """Note where training begins."""
        self.steps, self._first = steps, None

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Write a line if it is time for one."""
        now = time.monotonic()
        validated = any(name.startswith("validation") for name in metrics)
        if not validated and step < self.steps and now - self._last < self.every:
            return
        self._last = now
        left = self._seconds_left(step, now)
        self.stream.write(f"step {step}/{self.steps}  {describe(metrics)}{left}\n")
        self.stream.flush()

    def close(self) -> None:
        """Nothing is left to write."""

    def _seconds_left(self, step: int, now: float) -> str:
        # From the first report on: before it, the time went into compilation.
        if self._first is None:
            self._first = (step, now)
            return ""
        first, began = self._first
        return f"  {(now - began) / (step - first) * (self.steps - step):.0f} s left"


class Bar:
    """A progress bar with the newest metrics and the time left."""

    def start(self, step: int, steps: int) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns: list[Any] = [
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        ]
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._task = self._progress.add_task("compiling …", total=steps, completed=step)
        self._known: dict[str, float] = {}
        self._progress.start()

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Move the bar."""
        self._known |= metrics
        self._progress.update(self._task, completed=step, description=describe(self._known))

    def close(self) -> None:
        """Leave the finished bar on the screen."""
        self._progress.stop()


class TensorBoard:
    """Writes every metric where TensorBoard finds it.

    Args:
        folder: the run's folder.

    Raises:
        BadInput: tensorboardX is not installed.
    """

    def __init__(self, folder: Path):
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise BadInput(
                "--tensorboard needs the package tensorboardX; install it with: "
                "pip install 'quickstudy[tensorboard]'"
            ) from None
        self._open = lambda: SummaryWriter(str(folder / "tensorboard"))

    def start(self, step: int, steps: int) -> None:
        """Begin a file: only now, so that what is missing is told before a run has a folder."""
        self._writer = self._open()

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Write each value."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class Both:
    """Tells two reporters the same."""

    def __init__(self, first: Reporter, second: Reporter):
        self.reporters = (first, second)

    def start(self, step: int, steps: int) -> None:
        """Tell both."""
        for reporter in self.reporters:
            reporter.start(step, steps)

    def update(self, step: int, metrics: dict[str, float]) -> None:
        """Tell both."""
        for reporter in self.reporters:
            reporter.update(step, metrics)

    def close(self) -> None:
        """Tell both."""
        for reporter in self.reporters:
            reporter.close()


class CountingBar:
    """A counter that shows a bar per job on a terminal; elsewhere it says nothing.

    Use it in a `with` block.
    """

    def __enter__(self) -> "CountingBar":
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._jobs: dict[str, Any] = {}
        if sys.stderr.isatty():
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.live.is_started:  # or it would leave an empty line
            self._progress.stop()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` are done of the job called `what`."""
        if what not in self._jobs:
            self._jobs[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._jobs[what], completed=done)


def describe(metrics: dict[str, float]) -> str:
    """The metrics a person follows, in one line.

    Example:
        >>> describe({"loss": 0.123456, "accuracy": 0.5, "gradient_norm": 1.0})
        'loss 0.1235  accuracy 50.0 %'
    """
    shown = {name: value for name, value in metrics.items() if name in _FOLLOWED}
    return "  ".join(
        f"{_FOLLOWED[name]} {value:.1%}".replace("%", " %")
        if name.endswith("accuracy")
        else f"{_FOLLOWED[name]} {value:.4g}"
        for name, value in shown.items()
    )


_FOLLOWED = {
    "loss": "loss",
    "accuracy": "accuracy",
    "return": "return",
    "accepted": "accepted",
    "validation_return": "validation",
    "validation_accuracy": "validation",
    "validation_squared_error": "validation error",
}
