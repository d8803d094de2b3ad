"""The choices of MAML for RL: each builds what it names."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.experiments.methods.policy_updates import EstimatorConfig
from quickstudy.rl.estimators import DiCE, FirstOrderEstimator, Naive, ScoreTerm
from quickstudy.rl.outer import OuterAscent, OuterTrustRegion
from quickstudy.rl.reactive import context_of
from quickstudy.training.algorithm import update
from references.recipes import algorithm, typed

KEY = jax.random.key(0)


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
