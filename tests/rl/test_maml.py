"""MAML for RL: the same on any number of devices, each task on its own, and better by adapting."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.inner import FromZero, LearnedRates, Only, Rate
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.adapted import update_returns
from quickstudy.rl.estimators import LVC, Naive, ScoreTerm
from quickstudy.rl.maml import MAMLRL
from quickstudy.rl.outer import OuterAscent, OuterTrustRegion
from quickstudy.rl.reactive import Reactive, context_of
from quickstudy.rl.trust_region import TrustRegion
from quickstudy.testing.comparing import same_bits
from quickstudy.training.algorithm import update
from quickstudy.training.fit import fit
from quickstudy.training.plan import Plan
from references.crashing import Crash, Crashing
from references.jaxprs import equations

KEY = jax.random.key(0)
BANDIT = qs.Bandit(arms=2)


CAVIA = Only(FromZero(Rate(2.0)), context_of)


def maml(outer, environment=BANDIT, rule=None, estimator=LVC(), **settings):  # noqa: B008
    policy = Reactive.create(environment, (4,), key=KEY)
    policy = eqx.tree_at(
        lambda p: p.head, policy, qs.Linear.create(4, environment.actions.size, key=KEY)
    )
    rule = rule or Rate(0.5)
    adaptation = Adaptation(environment, rule, estimator, trajectories=6)
    return MAMLRL(policy, adaptation, outer, **{"tasks": 6, "validation_tasks": 8, **settings})


def updated(algorithm, key=KEY):
    return eqx.filter_jit(update)(algorithm, algorithm.init(), key, jnp.zeros(()))


@pytest.mark.parametrize(
    ("tasks", "every", "scored", "unit"),
    [(6, 1, 1, "task"), (5, 2, 1, "task"), (5, 2, 2, "task"), (5, 1, 2, "mean")],
)
def test_devices_change_nothing(tasks, every, scored, unit, one_device):
    """Nor which trajectories the curvature is that of, nor which policies are scored, nor how."""
    outer = OuterTrustRegion(curvature_every=every)
    estimator = ScoreTerm(Naive())
    settings = {"tasks": tasks, "steps": 2, "scored": scored, "unit": unit}
    algorithm = maml(outer, estimator=estimator, **settings)
    two = updated(algorithm)
    one_device()
    for x, y in zip(*map(jax.tree.leaves, (updated(algorithm), two)), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def test_accepted_steps_stay_in_the_region():
    metrics = updated(maml(OuterTrustRegion(TrustRegion(1e-2, 1e-3))))[1]
    assert float(metrics["accepted"]) == 1.0
    assert 1e-4 < float(metrics["kl"]) <= 1e-2
    with pytest.raises(qs.BadInput, match="curvature_every is 0"):
        OuterTrustRegion(curvature_every=0)


class Hollow(OuterTrustRegion):
    """Where a step goes away from π_old, the divergence falls."""

    def problem(self, objective):
        usual = super().problem(objective)
        return usual._replace(divergence=lambda old, now: -usual.divergence(old, now))


def test_a_step_that_is_none_keeps_the_initialisation():
    algorithm = maml(Hollow(TrustRegion(1e-2, 1e-6)), steps=2)
    before = algorithm.init()
    after, metrics = updated(algorithm)
    assert float(metrics["accepted"]) == 0.0
    assert same_bits(after, before)


@pytest.mark.parametrize(("steps", "scored"), [(2, 3), (1, 2), (0, 2), (2, 0)])
def test_no_more_policies_are_scored_than_updates_make(steps, scored):
    with pytest.raises(qs.BadInput, match=rf"scored_updates is {scored}.* 1 to {max(steps, 1)}"):
        maml(OuterTrustRegion(), steps=steps, scored=scored)


@pytest.mark.parametrize("name", ["tasks", "validation_tasks"])
def test_numbers_of_tasks_are_positive(name):
    algorithm = maml(OuterTrustRegion())
    with pytest.raises(qs.BadInput, match=f"{name} is 0; give a whole number of 1 or more"):
        dataclasses.replace(algorithm, **{name: 0})


def test_rates_are_learned():
    algorithm = maml(OuterAscent(optax.sgd(1.0), epochs=2))
    rates = LearnedRates.like(algorithm.policy, 0.5)
    algorithm = maml(OuterAscent(optax.sgd(1.0), epochs=2), rule=rates)
    after = algorithm.learned(updated(algorithm)[0])[1]
    assert any(float(jnp.abs(leaf - 0.5).max()) > 1e-6 for leaf in jax.tree.leaves(after))


def test_adapting_pays_after_training_and_so_it_does_after_a_crash(tmp_path):
    """In two-armed bandits, what ten pulls tell is worth more than nothing; and a training that
    crashed and was resumed ends with the same bits."""
    algorithm = maml(OuterAscent(optax.adam(0.05)), tasks=64, validation_tasks=256)
    plan = Plan(steps=30, validate_every=15)
    whole = fit(algorithm, plan, key=KEY)
    run = qs.Run.create(tmp_path / "run", {"recipe": "bandits"})
    with pytest.raises(Crash):
        fit(algorithm, plan, key=KEY, run=run, report=Crashing(at=15))
    assert run.checkpoints.steps()[0] == 15
    assert same_bits(fit(algorithm, plan, key=KEY, run=run), whole)
    policy, rule = whole.last
    adaptation = eqx.tree_at(lambda a: a.rule, algorithm.adaptation, rule)
    found = eqx.filter_jit(update_returns)(policy, adaptation, 2, KEY, 512).mean(0)
    assert float(found[1]) > float(found[0]) + 0.03
    assert float(found[2]) > float(found[0]) + 0.03


def test_gaussians_walk():
    """Continuous actions, and trajectories that end before others."""
    algorithm = maml(OuterTrustRegion(), qs.Navigation(horizon=10), tasks=4)
    metrics = updated(algorithm)[1]
    assert all(np.isfinite(float(value)) for value in metrics.values())
    assert float(metrics["return"]) < 0


def test_no_device_factors_a_batch_of_matrices():
    """Two CPU devices that do so at the same time wait for each other for ever."""
    algorithm = maml(OuterTrustRegion())
    program, _, _ = eqx.filter_make_jaxpr(update)(algorithm, algorithm.init(), KEY, jnp.zeros(()))
    factored = [e.invars[0].aval.ndim for e in equations(program) if e.primitive.name == "lu"]
    assert factored
    assert set(factored) == {2}


@pytest.mark.parametrize("estimator", [LVC(), ScoreTerm(Naive())])
def test_only_the_context_adapts_and_only_the_rest_is_learned(estimator):
    """Within a task the context moves and nothing else; from task to task all but the context, even
    where training has left some of it behind."""
    # Of four rectifiers, all may be off where there is nothing but a constant to read.
    policy = Reactive.with_context(BANDIT, (16,), 3, key=KEY)
    algorithm = maml(OuterAscent(optax.adam(0.1)), rule=CAVIA, estimator=estimator)
    algorithm = dataclasses.replace(algorithm, policy=policy)

    @eqx.filter_jit
    def run(policy):
        task = BANDIT.sample(KEY)
        sets, after = algorithm.adaptation.run(policy, task, 2, KEY)
        return sets, after, algorithm.adaptation.replay(policy, sets)

    there = run(policy)[-1]
    assert float(jnp.abs(context_of(there)).max()) > 1e-4
    back = eqx.tree_at(context_of, there, context_of(policy))
    assert same_bits(back, policy)
    assert same_bits(run(there), run(policy))
    learned = algorithm.learned(updated(algorithm)[0])[0]
    assert not context_of(learned).any()
    with pytest.raises(qs.BadInput, match="reads no context"):
        context_of(Reactive.create(BANDIT, (4,), key=KEY))
    assert not np.array_equal(
        learned.body.network.layers[0].weight[1:], policy.body.network.layers[0].weight[1:]
    )


def test_validation_scores_what_training_scores():
    """The mean of the policies after one and two updates, of which the last is told, too."""
    one, two = (maml(OuterTrustRegion(), steps=2, scored=scored) for scored in (1, 2))
    found = [eqx.filter_jit(a.validate)(a.init(), KEY) for a in (one, two)]
    stages = update_returns(*one.adapting(one.init()), 2, KEY, one.validation_tasks).mean(0)
    np.testing.assert_allclose(found[0]["score"], stages[2], rtol=1e-6)
    np.testing.assert_allclose(found[1]["score"], stages[1:].mean(), rtol=1e-6)
    assert found[0]["return"] == found[1]["return"] == found[0]["score"]
