"""The recipes of learners have the settings of their papers."""

import pytest

import quickstudy as qs
from quickstudy.experiments.learner_recipes import LEARNERS
from quickstudy.experiments.method import LearnerMethod
from references.recipes import ALL, typed


def test_settings_of_recipes_are_those_of_their_papers():
    prototypical = ALL["prototypical-omniglot"]
    assert (prototypical.method.network.filters, prototypical.problem.queries) == (64, 0)
    assert prototypical.method.train_ways == 60
    first_order = ALL["fomaml-glyphs"]
    assert (first_order.budget.steps, first_order.budget.meta_batch) == (2000, 8)
    # 0.4 on 5 and 0.1 on 20 ways, of a loss that the authors sum over the classes.
    for name in ("maml-omniglot", "maml-glyphs"):
        assert ALL[name].method.inner_lr == 0.4 * 5 == 0.1 * 20, name
    # 0.1 on 5 ways, summed; and authors who take PyTorch's mean.
    for name in ("fomaml-omniglot", "fomaml-glyphs"):  # searched
        assert (ALL[name].method.inner_lr, ALL[name].method.inner_steps) == (0.5, 5)
    for name, rate in {"anil": 0.1 * 5, "boil": 0.5, "maml++": 0.1, "imaml": 0.1}.items():
        assert ALL[f"{name}-omniglot"].method.inner_lr == rate, name
    assert ALL["cavia-sinusoid"].method.inner_lr == 1.0
    ridge = ALL["ridge-omniglot"]
    assert (float(ridge.learner().scale), ridge.method.train_ways) == (10.0, 60)
    assert float(ALL["ridge-sinusoid"].learner().scale) == 1.0
    with pytest.raises(qs.BadInput, match=r"sinusoid is regression.*leave --train-ways out"):
        typed("ridge-sinusoid", "--train-ways 3")
    plus = ALL["maml++-omniglot"]
    assert plus.learner().transductive
    assert (plus.method.network.downsample, plus.method.first_order) == ("pool", 0.0)
    implicit = ALL["imaml-omniglot"].learner()
    assert (implicit.steps, implicit.form) == (16, qs.PullBackForm(damping=1.0))
    assert ALL["imaml-glyphs"].learner().form == qs.ProximalForm()
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
    assert LEARNERS["maml-omniglot"].method.inner_lr == 2.0
    assert LEARNERS["maml-sinusoid"].method.inner_lr == 0.01


def test_those_of_the_maml_family_are_measured_under_its_protocol():
    """And metric learners under that of theirs."""
    for name in ("maml", "fomaml", "anil", "boil", "meta-sgd", "maml++", "imaml"):
        assert LEARNERS[f"{name}-omniglot"].problem.protocol == "finn2017", name
    for name in ("relation", "reptile"):  # by their authors' code
        assert LEARNERS[f"{name}-omniglot"].problem.protocol == "finn2017", name
    for name in ("prototypical", "matching", "ridge", "blackbox", "transfer"):
        assert LEARNERS[f"{name}-omniglot"].problem.protocol == "snell2017", name


def test_long_trainings_are_validated_in_whole_parts():
    for name, recipe in LEARNERS.items():
        assert recipe.budget.steps % recipe.budget.validate_every == 0, name
