"""Recipes with settings, as a user types them."""

from quickstudy.app.pairing import named_recipe, with_arguments


def typed(name, arguments="", on=None):
    """The recipe that `quickstudy train NAME [--on ON] ARGUMENTS` trains, ready to be built."""
    found, _ = with_arguments(named_recipe(name, on), [], arguments.split(), prog="a test")
    return found.prepared()


def algorithm(recipe):
    """What trains a policy as the recipe says."""
    return recipe.method.algorithm(recipe.problem, recipe.budget)
