"""The choices of MAML for RL: each builds what it names."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.policy_updates import (
    AdaptsContextConfig,
    AdaptsEverythingConfig,
    EstimatorConfig,
    LearnedRatesConfig,
    OuterTRPOConfig,
    RateConfig,
    RatePerUpdateConfig,
)
from quickstudy.rl.estimators import DiCE, FirstOrderEstimator, Naive, ScoreTerm
from quickstudy.rl.first_weights import Glorot
from quickstudy.rl.outer import OuterAscent, OuterTrustRegion
from quickstudy.rl.reactive import context_of
from quickstudy.training.algorithm import update
from references.recipes import algorithm, typed

KEY = jax.random.key(0)
DRAWN = {"key": KEY, "first": Glorot()}


@pytest.mark.parametrize(
    ("outer", "estimator", "rule"),
    [
        ("trpo", "dice", "rate"),
        ("trpo", "e-maml", "learned-rates"),
        ("trpo", "lvc", "rate"),
        ("policy-gradient", "first-order", "learned-rates"),
        ("policy-gradient", "naive", "rate"),
        ("promp", "loaded-dice", "learned-rates"),
        ("promp", "lvc", "rate"),
        ("trpo", "lvc", "rate-per-update"),
    ],
)
def test_choices_fit_each_other(outer, estimator, rule):
    """Shapes only."""
    choices = f"--adapts context --baseline network --outer {outer} --estimator {estimator}"
    every = " --curvature-every 4" if outer == "trpo" else ""
    found = algorithm(typed("maml-navigation", f"{choices} --rule {rule}{every}"))
    after, _ = eqx.filter_eval_shape(update, found, found.init(), KEY, jnp.zeros(()))
    assert context_of(after.parameters[0]).shape == (5,)
    assert isinstance(found.adaptation.baseline, qs.ValueNetwork)
    kind = {"trpo": OuterTrustRegion}.get(outer, OuterAscent)
    assert isinstance(found.outer, kind)
    assert isinstance(found.outer, OuterTrustRegion) or found.outer.epochs == (
        5 if outer == "promp" else 1
    )
    named = {"loaded-dice": DiCE(0.9), "dice": DiCE(), "e-maml": ScoreTerm(Naive())}
    assert named.get(estimator, found.adaptation.estimator) == found.adaptation.estimator


def test_estimators_are_told_apart():
    built = [kind().build() for kind in EstimatorConfig.choices().values()]
    assert len(built) == len({repr(one) for one in built}) == 6
    assert FirstOrderEstimator() in built


def test_rates_of_the_first_update_and_of_later_ones():
    policy, rule = AdaptsEverythingConfig(0.5, 0.25).learner(
        qs.Bandit(arms=2), (3, 3), RateConfig(), DRAWN
    )
    assert rule == qs.Rates((0.5, 0.25))
    assert policy.head.weight.shape == (3, 2)


def test_a_context_starts_at_zero_and_moves_half_as_far_later():
    config = AdaptsContextConfig(context_size=4, context_lr=2.0)
    policy, rule = config.learner(qs.Bandit(arms=2), (3, 3), RateConfig(), DRAWN)
    assert context_of(policy).shape == (4,)
    assert rule.rule.rule == qs.Rates((2.0, 1.0))
    moved = eqx.tree_at(context_of, policy, jnp.ones(4))
    assert context_of(rule.begin(moved)).tolist() == [0] * 4
    with pytest.raises(qs.BadInput, match="context_size is 0"):
        AdaptsContextConfig(context_size=0)


def test_learned_rates_begin_at_the_first():
    rule = LearnedRatesConfig().build({"w": jnp.zeros(2)}, (0.5, 0.25))
    assert rule.rates["w"].tolist() == [0.5, 0.5]


def test_rates_of_each_update_begin_where_those_of_all_updates_are():
    rule = RatePerUpdateConfig().build({"w": jnp.zeros(2), "b": jnp.zeros(())}, (0.5, 0.25))
    assert jax.tree.map(lambda x: x.tolist(), rule.rates) == {"w": [0.5, 0.25], "b": [0.5, 0.25]}


def test_a_trust_region_as_asked_for():
    outer = OuterTRPOConfig(radius=0.5, curvature_every=3).build(Budget())
    assert (outer.region.radius, outer.curvature_every) == (0.5, 3)
