"""`quickstudy recipes`: what can be trained, what it must reach, and how long that takes."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from quickstudy.errors import BadInput
from quickstudy.recipes import DEFAULT, known


@dataclass(frozen=True)
class Recipes:
    """List what can be trained, what it must reach, how long that takes, and whose idea it is."""

    word: Annotated[str, tyro.conf.Positional] = ""
    """List only the recipes with this in their names: omniglot, maml, rl2 ..."""


def main(arguments: list[str]) -> None:
    """Print the recipes: names and links in one piece, whatever the terminal's width."""
    options = tyro.cli(Recipes, args=arguments, prog="quickstudy recipes")
    found = {name: recipe for name, recipe in known().items() if options.word in name}
    if not found:
        raise BadInput(f"no recipe has {options.word!r} in its name; leave it out to list them all")
    for name, recipe in found.items():
        mark = " (default)" if recipe is DEFAULT else ""
        print(f"{name}{mark}")
        print(f"    must reach  {recipe.reaches}")
        print(f"    takes       {recipe.takes}")
        print(f"    source      {recipe.source}")
