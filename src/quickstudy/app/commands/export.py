"""`quickstudy export RUN FILE`: the learner as one file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Export:
    """Write a run's learner as one safetensors file, with its recipe in the header."""

    run: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""
    file: Annotated[Path, tyro.conf.Positional]
    """The file to write; `quickstudy.load` reads it."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    options = tyro.cli(Export, args=arguments, prog="quickstudy export")
    from quickstudy.recipes.exports import export, load, load_recipe

    export(load(options.run), options.file, load_recipe(options.run))
    print(f"wrote {options.file}; read it with quickstudy.load({str(options.file)!r})")
