"""Host environments in processes of their own, watched: none that dies or hangs goes unnoticed."""

import time
import weakref
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.connection import wait
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from quickstudy.envs.door import demand_same_spaces
from quickstudy.envs.environment import demand_actions
from quickstudy.envs.host import Host, HostStep, begin_again
from quickstudy.envs.spaces import Spaces
from quickstudy.envs.worker import Broke, Failed, Refused, Worker
from quickstudy.errors import BadInput, QuickstudyError, demand_positive

CLOSING = 2.0  # seconds to close environments before their process is ended
GUARDED = """; a program that is a file must do its work under `if __name__ == "__main__":`"""


class Patience(NamedTuple):
    """How many seconds a worker process may take.

    Attributes:
        stepping: to step, or reset, all of its copies.
        starting: to load Python, its packages, and what its first environment needs.
    """

    stepping: float = 60.0
    starting: float = 120.0


PATIENCE = Patience()


class HostWorkers(Host):
    """`HostEnvironment` spread over processes: the same results for the same seed, and as many
    cores as there are processes.

    The processes start at the first `begin`. They have Python to themselves: `make`, `sample_task`
    and `set_task` are sent to them once, by value where they cannot be imported there. A program
    that is a file must not do its work on being imported: put it under `if __name__ ==
    "__main__":`.

    Args:
        make: see `HostEnvironment`, as the next four.
        sample_task: M_i ~ p(M).
        set_task: puts one environment into a task.
        copies: of the environment, in all processes together.
        horizon: the most steps of an episode.
        processes: how many; copies are shared out evenly.
        patience: how long processes may take.

    Raises:
        BadInput: as `HostEnvironment`; or no process, more processes than copies, or a function
            that cannot be sent to another process.
        QuickstudyError: an environment failed, or its process died or hung; the message names
            copy, task and seed. All processes have been ended, and `begin` starts new ones.

    Example:
        >>> import gymnasium  # doctest: +SKIP
        >>> workers = HostWorkers(
        ...     make=lambda: gymnasium.make("CartPole-v1"),
        ...     sample_task=lambda rng: rng.uniform(0.25, 1.0),
        ...     set_task=lambda env, length: setattr(env.unwrapped, "length", length),
        ...     copies=8,
        ...     processes=2,
        ... )  # doctest: +SKIP
        >>> workers.begin(seed=0).shape  # doctest: +SKIP
        (8, 4)
        >>> workers.close()  # doctest: +SKIP
    """

    def __init__(
        self,
        make: Callable[[], Any],
        sample_task: Callable[[np.random.Generator], Any],
        set_task: Callable[[Any, Any], None],
        copies: int = 1,
        horizon: int | None = None,
        *,
        processes: int = 2,
        patience: Patience = PATIENCE,
    ) -> None:
        if not 1 <= processes <= copies:
            raise BadInput(
                f"{copies} copies cannot be shared by {processes} processes; give 1 process or "
                "more, and at least as many copies"
            )
        demand_positive(**patience._asdict())
        self.make, self.sample_task, self.set_task = make, sample_task, set_task
        self.copies, self.horizon, self.patience = copies, horizon, patience
        self._spaces: Spaces | None = None
        bounds = [copies * n // processes for n in range(processes + 1)]
        self.shares = [range(*pair) for pair in pairwise(bounds)]
        self.sent = _sent({"make": make, "sample_task": sample_task, "set_task": set_task})
        self.begun: tuple[int, int, int, int] | None = None
        self.workers: list[Worker] = []
        # For owners that are never closed. Of the list, not of `self`, which would never be freed.
        weakref.finalize(self, _close, self.workers)

    @property
    def spaces(self) -> Spaces:
        """What environments show and take, as the processes tell when they start."""
        if self._spaces is None:
            self._start()
        assert self._spaces is not None
        return self._spaces

    def begin(
        self, seed: int, first: int = 0, each: int = 1, visit: int = 0
    ) -> Float32[np.ndarray, "copies ..."]:
        """New tasks, and what is seen first in them; arguments as of `HostEnvironment.begin`."""
        self.begun = seed, first, each, visit
        if not self.workers:
            self._start()
        for worker in self.workers:
            worker.notes.forget()
        each_begins = [(seed, first + share.start, each, visit) for share in self.shares]
        return np.concatenate(self._ask("begin", each_begins))

    def step(self, actions: np.ndarray) -> HostStep:
        """Act in all copies, and begin the next episode where one is over.

        Args:
            actions: `[copies, ...]`, as `spaces` has them.
        """
        if self.begun is None or not self.workers:
            raise BadInput("there is no task yet; call begin() before step()")
        demand_actions(actions, self.spaces.actions, self.copies)
        taken = np.asarray(actions)
        steps = self._ask("step", [(taken[s.start : s.stop],) for s in self.shares])
        return HostStep(*map(np.concatenate, zip(*steps, strict=True)))

    def close(self) -> None:
        """Close every environment, and end the processes; `begin` starts new ones."""
        _close(self.workers)

    def _start(self) -> None:
        try:
            for share in self.shares:
                self.workers.append(Worker(share, (self.sent, self.horizon)))
            first, *others = self._exchange("start", [], self.patience.starting)
            for other in others:
                demand_same_spaces(other, *first)
            self._spaces = Spaces(*first)
        except BaseException:
            self.close()
            raise

    def _ask(self, doing: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        """What every worker answers, in their order."""
        return self._exchange(
            doing, [(doing, given) for given in arguments], self.patience.stepping
        )

    def _exchange(self, doing: str, questions: list[Any], patience: float) -> list[Any]:
        until, late = time.monotonic() + patience, f"gave no answer in {doing} for {patience:g} s"
        try:
            for worker, question in zip(self.workers, questions, strict=False):
                if not worker.ask(question, until):
                    raise self._failure(worker, late)
            return self._answers(doing, until, late)
        except BaseException:
            # Answers that come too late must not be taken for those to later questions.
            self.close()
            raise

    def _answers(self, doing: str, until: float, late: str) -> list[Any]:
        found = {}
        while silent := [worker for worker in self.workers if worker not in found]:
            signs = {sign: worker for worker in silent for sign in worker.signs}
            ready = wait(list(signs), max(0.0, until - time.monotonic()))
            if not ready:
                raise self._failure(silent[0], late)
            for worker in {signs[sign]: None for sign in ready}:
                try:
                    found[worker] = self._answer(worker, doing, until)
                except TimeoutError as error:  # it began to answer
                    raise self._failure(worker, late) from error
        return [found[worker] for worker in self.workers]

    def _answer(self, worker: Worker, doing: str, until: float) -> Any:
        answer = worker.answer(until)
        if answer is None:
            hint = GUARDED if doing == "start" else ""
            raise self._failure(worker, f"{worker.end(CLOSING)} in {doing}{hint}")
        if isinstance(answer, Refused):
            raise BadInput(answer)
        if isinstance(answer, Failed):
            raise QuickstudyError(answer)
        if isinstance(answer, Broke):
            raise self._failure(worker, f"failed in {doing}", f"\n{answer}")
        return answer

    def _failure(self, worker: Worker, what: str, more: str = "") -> QuickstudyError:
        """What happened, and in which copy and task, or copies and tasks if that is not known."""
        busy = worker.notes.busy
        copies = list(worker.share) if busy < 0 else [busy]
        who = f"the process of copies {worker.share.start} to {worker.share.stop - 1} {what}"
        if self.begun is None:
            return QuickstudyError(f"{who}{more}")
        seed, first, each, _ = self.begun
        # As the process has written them down: to draw them here might hang or die as it did.
        tasks = [
            worker.notes.task(copy) or f"number {(first + copy) // each}, which was not drawn"
            for copy in copies
        ]
        return QuickstudyError(
            f"{who}: copy {', '.join(map(str, copies))}, task {', '.join(tasks)}, seed {seed}; "
            f"{begin_again(*self.begun)} starts new processes and draws the same tasks again{more}"
        )


def _sent(functions: dict[str, Callable[..., Any]]) -> bytes:
    """The functions as bytes: by value where no other process could import them."""
    import cloudpickle  # Gymnasium needs it, too

    for name, function in functions.items():
        try:
            cloudpickle.dumps(function)
        except Exception as error:
            raise BadInput(
                f"{name} cannot be sent to another process ({error}); give a function that makes "
                "what it needs by itself, or step in this process with HostEnvironment"
            ) from error
    return cloudpickle.dumps(tuple(functions.values()))


def _close(workers: list[Worker]) -> None:
    """Have the processes close their environments and end; kill those that take too long."""
    until = time.monotonic() + CLOSING
    for worker in workers:
        worker.ask(None, until)
    for worker in workers:
        worker.process.join(max(0.0, until - time.monotonic()))
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.process.join()
        worker.channel.close()
    workers.clear()
