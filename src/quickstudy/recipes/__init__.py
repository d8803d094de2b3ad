"""Recipes: one file per reproduced result, found by name."""

import difflib
from typing import Any

from quickstudy.errors import BadInput
from quickstudy.recipes.maml_glyphs import MAMLGlyphs
from quickstudy.recipes.maml_omniglot import MAMLOmniglot
from quickstudy.recipes.maml_sinusoid import MAMLSinusoid
from quickstudy.recipes.pretrained_sinusoid import PretrainedSinusoid
from quickstudy.recipes.prototypical_glyphs import PrototypicalGlyphs
from quickstudy.recipes.prototypical_omniglot import PrototypicalOmniglot
from quickstudy.recipes.recipe import Recipe as Recipe
from quickstudy.recipes.recipe import Shape as Shape
from quickstudy.recipes.recipe import Source as Source

DEFAULT: type[Recipe] = PrototypicalGlyphs

RECIPES: dict[str, type[Recipe]] = {
    recipe.name: recipe
    for recipe in (
        PrototypicalGlyphs,
        MAMLGlyphs,
        PrototypicalOmniglot,
        MAMLOmniglot,
        MAMLSinusoid,
        PretrainedSinusoid,
    )
}


def find(name: str) -> type[Recipe]:
    """The recipe of that name.

    Raises:
        BadInput: there is none; the message suggests the nearest.

    Example:
        >>> find("maml-sinusoid").name
        'maml-sinusoid'
    """
    if name in RECIPES:
        return RECIPES[name]
    near = difflib.get_close_matches(name, RECIPES, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BadInput(f"there is no recipe {name!r}; {hint}`quickstudy recipes` lists them all")


def from_json(value: dict[str, Any]) -> Recipe:
    """The recipe that `Recipe.to_json` wrote."""
    settings = dict(value)
    return find(str(settings.pop("recipe", ""))).from_settings(settings)
