"""Relation networks as settings."""

import equinox as eqx
import jax
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.relation import DenseRelationConfig, RelationConfig
from quickstudy.experiments.recipes import RECIPES
from quickstudy.learners.relation import Relation, class_means, class_sums
from references.recipes import typed
from references.small_problems import POINTS, built


def test_the_relation_reads_two_feature_vectors():
    learner = built(RelationConfig, POINTS, head=DenseRelationConfig(hidden=7))
    assert type(learner) is Relation
    shapes = [layer.weight.shape for layer in learner.relation.layers]
    assert shapes == [(2 * 3, 7), (7, 1)]


KEY = jax.random.key(0)


def test_omniglot_s_recipe_is_the_paper_s():
    """64 filters, two convolutions and eight units on maps of two halvings."""
    recipe = RECIPES["relation-omniglot"]
    learner = recipe.learner()
    assert isinstance(learner.relation, qs.ConvRelation)
    shapes = [block.kernel.shape for block in learner.relation.blocks]
    assert shapes == [(3, 3, 128, 64), (3, 3, 64, 64)]
    assert [layer.weight.shape for layer in learner.relation.dense.layers] == [(64, 8), (8, 1)]
    assert learner.embed.size == (7, 7)
    support = qs.Examples(jax.numpy.zeros((5, 28, 28, 1)), jax.numpy.arange(5), 5)
    scores = eqx.filter_eval_shape(lambda own: own.adapt(support)(support.x), learner)
    assert scores.shape == (5, 5)


@pytest.mark.parametrize(
    ("flags", "pooling"), [("", class_means), ("--pooling sum --head dense", class_sums)]
)
def test_pooling_is_a_choice(flags, pooling):
    assert typed("relation-omniglot", flags).learner().pooling is pooling


def test_convolutions_compare_maps_only():
    with pytest.raises(qs.BadInput, match=r"--network mlp makes vectors; give --network conv4"):
        typed("relation-glyphs", "--head conv --network mlp")
    with pytest.raises(qs.BadInput, match=r"hidden .* belongs to --head dense, and here"):
        typed("relation-omniglot", "--hidden 4")
