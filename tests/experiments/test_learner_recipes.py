"""The recipes of learners have the settings of their papers."""

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
