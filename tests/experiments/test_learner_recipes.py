"""The recipes of learners have the settings of their papers."""

import pytest

from quickstudy.experiments.learner_recipes import LEARNERS
from quickstudy.experiments.method import LearnerMethod
from references.recipes import ALL


def test_settings_of_recipes_are_those_of_their_papers():
    prototypical = ALL["prototypical-omniglot"]
    assert (prototypical.method.network.filters, prototypical.problem.queries) == (64, 0)
    assert prototypical.method.train_ways == 60
    first_order = ALL["fomaml-glyphs"]
    assert (first_order.budget.steps, first_order.budget.meta_batch) == (2000, 8)
    assert first_order.method.inner_lr == 0.4
    reptile = ALL["reptile-omniglot"]
    assert (reptile.method.network.filters, reptile.problem.queries) == (64, 9)
    assert reptile.budget.learning_rate == 1.0


@pytest.mark.parametrize("name", LEARNERS)
def test_they_learn_from_examples(name):
    recipe = LEARNERS[name]
    assert isinstance(recipe.method, LearnerMethod)
    assert name == f"{recipe.method.name}-{recipe.problem.name}"


def test_inner_rates_are_of_the_mean_loss():
    """The authors' rates are of a sum over classes, divided by the shots alone."""
    assert LEARNERS["maml-omniglot"].method.inner_lr == 0.4
    assert LEARNERS["maml-sinusoid"].method.inner_lr == 0.01


def test_those_of_the_maml_family_are_measured_under_its_protocol():
    """And metric learners under that of theirs."""
    for name in ("maml", "fomaml", "anil", "boil", "meta-sgd", "maml++", "imaml"):
        assert LEARNERS[f"{name}-omniglot"].problem.protocol == "finn2017", name
    for name in ("prototypical", "matching", "relation", "ridge", "blackbox", "transfer"):
        assert LEARNERS[f"{name}-omniglot"].problem.protocol == "snell2017", name


def test_long_trainings_are_validated_in_whole_parts():
    for name, recipe in LEARNERS.items():
        assert recipe.budget.steps % recipe.budget.validate_every == 0, name
