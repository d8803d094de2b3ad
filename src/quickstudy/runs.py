"""A run's folder: everything needed to understand and to resume a training run later.

recipe.json         what was trained, every setting
environment.json    versions, commit, machine, date and command
metrics.jsonl       one JSON object a line
checkpoints/        the last few states of training
learner.safetensors the best learner so far, with the recipe in its header
"""

import contextlib
import fcntl
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from quickstudy.checkpoint import Checkpoints
from quickstudy.errors import CheckpointError
from quickstudy.recorded import planned_steps, with_steps
from quickstudy.writing import write_atomically, write_json

RECIPE, ENVIRONMENT, METRICS = "recipe.json", "environment.json", "metrics.jsonl"
LEARNER = "learner.safetensors"
PACKAGES = ("quickstudy", "jax", "jaxlib", "equinox", "optax", "numpy", "gymnasium", "mujoco")


class Run:
    """One run's folder. Make it with `Run.create` or `Run.open`.

    Attributes:
        own: the code of the user's own that it was opened with, as the user named it.
    """

    def __init__(self, folder: Path, recipe: dict[str, Any], own: Sequence[str] = ()):
        self.folder, self.recipe, self.own = folder, recipe, tuple(own)
        self.checkpoints = Checkpoints(folder / "checkpoints", recipe)

    @classmethod
    def create(
        cls,
        folder: Path | str,
        recipe: dict[str, Any],
        contents: str = "",
        own: Sequence[str] = (),
    ) -> "Run":
        """Start a new run.

        Args:
            folder: made; it may be there already, if it is empty.
            recipe: what is trained.
            contents: a short name for the user's own data, which resuming may ask for.
            own: the code of the user's own that it is made with, as the user named it.

        Raises:
            CheckpointError: the folder exists and is not empty, or cannot be written.
        """
        folder = Path(folder).expanduser()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CheckpointError(
                f"the run folder {folder} exists already; resume it with --resume {folder}, or "
                "give another with --run"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"could not make the run folder {folder}: {error.strerror}; give one that you may "
                "write with --run"
            ) from error
        run = cls(folder, recipe, own)
        run.write_json(RECIPE, recipe)
        data = {"contents": contents} if contents else {}
        run.write_json(ENVIRONMENT, {**environment(), **data})
        return run

    @classmethod
    def open(cls, folder: Path | str, own: Sequence[str] = ()) -> "Run":
        """Open the folder of an earlier run.

        Args:
            folder: as `create` made it.
            own: as for `create`.

        Raises:
            CheckpointError: it is no run's folder.
        """
        folder = Path(folder).expanduser()
        try:
            recipe = json.loads((folder / RECIPE).read_text())
        except FileNotFoundError:
            raise CheckpointError(
                f"{folder} is not a run's folder (it has no {RECIPE}); give the folder that "
                "`quickstudy train` printed"
            ) from None
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{folder / RECIPE} cannot be read: {error}") from error
        if not isinstance(recipe, dict):
            raise CheckpointError(
                f"{folder / RECIPE} holds no settings; each checkpoint of the run has them in its "
                "header, and quickstudy evaluate and export do not need the file"
            )
        return cls(folder, recipe, own)

    @property
    def resuming(self) -> str:
        """The command that goes on with it."""
        named = ["--recipe", *self.own] if self.own else []
        return shlex.join(["quickstudy", "train", "--resume", str(self.folder), *named])

    def lengthened(self, steps: int) -> "Run":
        """The same run with so many steps, which the folder says once training `goes_on`. What
        depends on the share of training that is done, such as a rate that falls to zero, goes on as
        if so many steps had been planned from the start."""
        return Run(self.folder, with_steps(self.recipe, steps), self.own)

    def goes_on(self, step: int) -> None:
        """Make the folder one of a training that goes on from that step: later metrics are dropped,
        which it writes again, and with a longer plan the command is noted beside the first one."""
        self.forget_after(step)
        steps = planned_steps(self.recipe)
        if steps == planned_steps(Run.open(self.folder).recipe):
            return
        now, before = environment(), self._environment()
        longer = {name: now[name] for name in ("date", "command", "commit")}
        longer |= {"step": step, "steps": steps}
        before["lengthened"] = [*before.get("lengthened", []), longer]
        # The recipe last: what is cut off in between is a note too many, and no run half changed.
        self.write_json(ENVIRONMENT, before)
        self.write_json(RECIPE, self.recipe)

    def contents(self) -> str:
        """What the user's own data were called when the run began; nothing if it does not say."""
        return str(self._environment().get("contents", ""))

    def _environment(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / ENVIRONMENT).read_text()))
        except (OSError, ValueError, TypeError):
            return {}

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder while a training writes to it.

        Raises:
            CheckpointError: another process holds it.
        """
        # Of the folder itself: it leaves no file, and ends with the process, however that ends.
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            self._hold(handle)
            yield
        finally:
            os.close(handle)

    def _hold(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CheckpointError(
                f"another training is at work in {self.folder}; wait for its end, or stop it, then "
                f"continue with --resume {self.folder}"
            ) from None
        except OSError:  # some file systems have no locks
            pass

    @property
    def learner_file(self) -> Path:
        """Where the best learner so far is."""
        return self.folder / LEARNER

    def write_json(self, name: str, value: Any) -> Path:
        """Write a JSON file into the folder, whole or not at all."""
        path = self.folder / name
        write_json(path, value)
        return path

    def log(self, record: dict[str, Any]) -> None:
        """Add a line to the metrics.

        Raises:
            CheckpointError: the line could not be written.
        """
        try:
            # Appended, not replaced: a crash spoils one line at most, which `metrics` passes over.
            with open(self.folder / METRICS, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise CheckpointError(
                f"could not write {self.folder / METRICS}: {error.strerror}; free some space, then "
                f"continue with --resume {self.folder}"
            ) from error

    def metrics(self) -> list[dict[str, Any]]:
        """The metrics so far; a line that a crash cut short or spoilt is passed over."""
        return list(self._lines())

    def forget_after(self, step: int) -> None:
        """Drop the metrics of later steps, which resuming from `step` will write again."""
        kept = [json.dumps(line) + "\n" for line in self._lines() if line["step"] <= step]
        write_atomically(self.folder / METRICS, "".join(kept))

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self.folder / METRICS
        if not path.exists():
            return
        # A crash may leave any bytes; such a line is no JSON, and is passed over below.
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and "step" in record and all(map(_number, record.values())):
                yield record


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def environment() -> dict[str, Any]:
    """Versions, commit, machine, date and command of this process."""
    import jax

    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["quickstudy", *sys.argv[1:]]),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "devices": [str(device) for device in jax.devices()],
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of quickstudy's own source, if it runs from a checkout."""
    # The user's project may be a repository too, with the environment of this process inside it.
    if not _git("ls-files", ":/src/quickstudy/runs.py"):
        return None
    # Without tags: a hash names a state, a tag may be moved.
    return _git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def _git(*arguments: str) -> str | None:
    """What git says of the repository that this file lies in, if there is one."""
    here, command = Path(__file__).parent, ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
