"""The command line: train, evaluate, adapt, play, report, export, recipes.

JAX is imported by the commands that need it, so that `quickstudy --help` answers at once.
"""

import difflib
import logging
import os
import sys
from collections.abc import Callable

from quickstudy.errors import BadInput, QuickstudyError

HELP = """usage: quickstudy COMMAND [options]

Learn to learn: from a few examples, or from a few episodes.

  quickstudy train [RECIPE] [options]      meta-train, then test on unseen classes or MDPs;
                                           RECIPE may be your own: PATH.py:NAME
  quickstudy train --resume RUN            continue a run that was stopped
  quickstudy evaluate RUN [options]        test a trained run again, perhaps otherwise
  quickstudy adapt RUN --support FOLDER --query FOLDER
                                           classify your own images
  quickstudy play RUN                      show a trial of a policy that was trained
  quickstudy report RUN                    write a page of results, curves and pictures
  quickstudy export RUN FILE               write the learner as one file
  quickstudy recipes [WORD]                list the recipes and what they reach

Each command explains itself: quickstudy train --help, quickstudy train maml-omniglot --help.
`quickstudy train` alone runs the default recipe: about a minute, nothing to download.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; errors meant for the user are printed plainly, with exit code 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        try:
            _answer(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output wants no more of it, as `quickstudy recipes | head -3` does not.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # as of what SIGPIPE ends
    except QuickstudyError as error:
        print(f"quickstudy: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("quickstudy: stopped", file=sys.stderr)
        sys.exit(130)


def _answer(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
    elif arguments[0] == "--version":
        from importlib.metadata import version

        print(version("quickstudy"))
    else:
        _command(arguments[0])(arguments[1:])


def _command(name: str) -> Callable[[list[str]], None]:
    from quickstudy.app import commands

    known = {
        "train": commands.train.main,
        "evaluate": commands.evaluate.main,
        "adapt": commands.adapt.main,
        "play": commands.play.main,
        "report": commands.report.main,
        "export": commands.export.main,
        "recipes": commands.recipes.main,
    }
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}"
        raise BadInput(f"there is no command {name!r}; {hint}")
    return known[name]


if __name__ == "__main__":
    main()
