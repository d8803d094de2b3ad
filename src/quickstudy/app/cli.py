"""The command line: which command is meant, and how errors are told.

JAX is imported by the commands that need it, so that `quickstudy --help` answers at once.
"""

import difflib
import importlib
import io
import logging
import os
import sys
from collections.abc import Callable

from quickstudy.errors import BadInput, Interrupted, QuickstudyError
from quickstudy.experiments.telling import lines_of, told

HELP = """usage: quickstudy COMMAND [options]

Learn to learn: from a few examples, or from a few episodes.

  quickstudy classify CLASSES NEW          classify images from a few examples of each class:
                                           CLASSES is a folder with a sub-folder for each
  quickstudy predict FILE IMAGE ...        classify by what `classify --save FILE` wrote
  quickstudy train [RECIPE] [options]      meta-train, then test on unseen classes or MDPs
  quickstudy train METHOD --on PROBLEM     any method on any problem: a folder of images,
                                           an .npz file, or code of your own, PATH.py:NAME
  quickstudy train --resume RUN            continue a run that was stopped
  quickstudy evaluate RUN [--on PROBLEM]   test a trained run again, perhaps on other data
  quickstudy compare RUN RUN [RUN ...]     on the same tasks: paired differences with intervals
  quickstudy play RUN                      show a trial of a policy that was trained
  quickstudy report RUN                    write a page of results, curves and pictures
  quickstudy export RUN FILE               write what was learned as one file
  quickstudy recipes [NAME]                what can be trained, and what it must reach
  quickstudy methods [--on PROBLEM]        how it can be learned
  quickstudy problems                      what can be learned

Each command explains itself: quickstudy train --help, quickstudy train maml-omniglot --help.
`quickstudy train` alone runs the default recipe: a minute or two, nothing to download.
"""

COMMANDS = {
    "classify": "classify:main",
    "predict": "predict:main",
    "train": "train:main",
    "evaluate": "evaluate:main",
    "compare": "compare:main",
    "play": "play:main",
    "report": "report:main",
    "export": "export:main",
    "recipes": "lists:recipes",
    "methods": "lists:methods",
    "problems": "lists:problems",
}
"""Each command's module in `quickstudy.app.commands`, and its function."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; errors meant for the user are printed plainly, with exit code 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr does: names of files may hold what the terminal's encoding does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            _answer([_from_home(one) for one in arguments])
        finally:
            # Now: when Python flushes at its end, a reader who has left would cause a traceback.
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has left, as `head` does in `quickstudy recipes | head -3`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # as of what SIGPIPE ends
    except QuickstudyError as error:
        print(f"quickstudy: {error}{lines_of(error)}", file=sys.stderr)
        sys.exit(130 if isinstance(error, Interrupted) else 1)
    except Exception as error:
        if (said := told(error) or _lacks_device()) is None:
            raise
        print(f"quickstudy: {said}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("quickstudy: stopped", file=sys.stderr)
        sys.exit(130)


def _lacks_device() -> str | None:
    """What is wrong with JAX_PLATFORMS, if JAX finds no such device: its own error is a bare
    assertion for some."""
    jax, asked = sys.modules.get("jax"), os.environ.get("JAX_PLATFORMS")
    if jax is None or not asked:
        return None
    try:
        jax.devices()
    except (RuntimeError, AssertionError):
        return f"JAX finds no device for JAX_PLATFORMS={asked}; unset it, or install JAX for that"
    return None


def _from_home(argument: str) -> str:
    """An argument whose path begins with `~`, which a shell leaves as it is behind a =."""
    flag, equals, value = argument.partition("=")
    if argument.startswith("--") and equals:
        return f"{flag}={os.path.expanduser(value)}"
    return os.path.expanduser(argument)


def _answer(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
    elif arguments[0] == "--version":
        from importlib.metadata import version

        print(version("quickstudy"))
    else:
        command = _command(arguments[0])
        if any(".py:" in argument for argument in arguments):
            from quickstudy.mesh import set_up_devices

            # Before code of the user's own is imported, which may use JAX at once.
            set_up_devices()
        command(arguments[1:])


def _command(name: str) -> Callable[[list[str]], None]:
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(COMMANDS)}"
        raise BadInput(f"there is no command {name!r}; {hint}")
    module, _, function = COMMANDS[name].partition(":")
    return getattr(importlib.import_module(f"quickstudy.app.commands.{module}"), function)


if __name__ == "__main__":
    main()
