"""Recipes: one file per reproduced result, found by name."""

import difflib
from typing import Any

from quickstudy.errors import BadInput
from quickstudy.recipes import (
    anil,
    ant,
    blackbox,
    cheetah,
    first_order,
    imaml,
    maml,
    maml_plus_plus,
    maml_rl,
    meta_sgd,
    metaworld,
    navigation,
    nonparametric,
    prototypical,
    reptile,
    rl2,
    rl2_grids,
    transfer,
)
from quickstudy.recipes.meta_rl import MetaRL as MetaRL
from quickstudy.recipes.own import from_file, from_package, from_packages, is_path
from quickstudy.recipes.recipe import FewShot as FewShot
from quickstudy.recipes.recipe import Recipe as Recipe
from quickstudy.recipes.recipe import Shape as Shape
from quickstudy.recipes.recipe import Source as Source

DEFAULT: type[Recipe] = prototypical.PrototypicalGlyphs

RECIPES: dict[str, type[Recipe]] = {
    recipe.name: recipe
    for recipe in (
        prototypical.PrototypicalGlyphs,
        prototypical.PrototypicalOmniglot,
        nonparametric.MatchingGlyphs,
        nonparametric.MatchingOmniglot,
        nonparametric.RelationGlyphs,
        nonparametric.RelationOmniglot,
        nonparametric.RidgeGlyphs,
        nonparametric.RidgeOmniglot,
        nonparametric.RidgeSinusoid,
        maml.MAMLGlyphs,
        maml.MAMLOmniglot,
        maml.MAMLSinusoid,
        first_order.FirstOrderGlyphs,
        first_order.FirstOrderOmniglot,
        first_order.FirstOrderSinusoid,
        anil.ANILGlyphs,
        anil.ANILOmniglot,
        anil.ANILSinusoid,
        anil.BOILGlyphs,
        anil.BOILOmniglot,
        meta_sgd.MetaSGDGlyphs,
        meta_sgd.MetaSGDOmniglot,
        meta_sgd.MetaSGDSinusoid,
        maml_plus_plus.MAMLPlusPlusGlyphs,
        maml_plus_plus.MAMLPlusPlusOmniglot,
        maml_plus_plus.MAMLPlusPlusSinusoid,
        imaml.ImplicitGlyphs,
        imaml.ImplicitOmniglot,
        reptile.ReptileGlyphs,
        reptile.ReptileOmniglot,
        reptile.ReptileSinusoid,
        blackbox.BlackBoxGlyphs,
        blackbox.BlackBoxOmniglot,
        blackbox.BlackBoxSinusoid,
        transfer.TransferGlyphs,
        transfer.TransferOmniglot,
        maml.PretrainedSinusoid,
        rl2.RL2Bandit,
        rl2.RL2Tabular,
        rl2_grids.RL2GridNavi,
        rl2_grids.RL2Maze,
        rl2_grids.RL2Games,
        rl2_grids.RL2HalfCircle,
        maml_rl.MAMLNavigation,
        navigation.PretrainedNavigation,
        navigation.RL2Navigation,
        maml_rl.MAMLBandit,
        maml_rl.MAMLTabular,
        cheetah.RL2Cheetah,
        cheetah.MAMLCheetah,
        cheetah.PretrainedCheetah,
        ant.RL2Ant,
        ant.MAMLAnt,
        ant.PretrainedAnt,
        metaworld.RL2MetaWorld,
        metaworld.MAMLMetaWorld,
    )
}


def known() -> dict[str, type[Recipe]]:
    """All recipes by name: ours, and those of installed packages."""
    return {**from_packages(), **RECIPES}


def find(name: str) -> type[Recipe]:
    """The recipe of that name, or the class `path.py:Name` of a file.

    Raises:
        BadInput: there is none, and the message suggests the nearest; or a package offers one that
            cannot be loaded.

    Example:
        >>> find("maml-sinusoid").name
        'maml-sinusoid'
    """
    if name in RECIPES:
        return RECIPES[name]
    if is_path(name):
        return from_file(name)
    if (offered := from_package(name)) is not None:
        return offered
    if name.endswith(".py"):
        raise BadInput(f"{name} names a file; name the recipe's class in it too, as {name}:NAME")
    near = difflib.get_close_matches(name, known(), n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BadInput(f"there is no recipe {name!r}; {hint}`quickstudy recipes` lists them all")


def from_json(value: dict[str, Any]) -> Recipe:
    """The recipe that `Recipe.to_json` wrote."""
    settings = dict(value)
    return find(str(settings.pop("recipe", ""))).from_settings(settings)
