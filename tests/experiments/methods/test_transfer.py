"""Transfer as settings: it trains on batches of all classes."""

import pytest

import quickstudy as qs
from quickstudy.experiments.problem import Source
from quickstudy.tasks.all_classes import AllClasses
from references.recipes import ALL, tasks


@pytest.mark.parametrize("name", ["transfer-glyphs", "transfer-omniglot"])
def test_transfer_knows_how_many_classes_there_are(name, request):
    if "omniglot" in name:
        request.getfixturevalue("omniglot_data")
    recipe = ALL[name]
    train = tasks(recipe)
    assert isinstance(train, AllClasses)
    assert train.classes == recipe.problem.classes(Source())
    assert isinstance(tasks(recipe, "test"), qs.Episodes)
