"""Numbers that are not finite are laid at the right door."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.rl.scale import Running
from quickstudy.training.finite import (
    LARGE,
    RATES,
    UNTOLD,
    data_at_fault,
    demand_finite,
    demand_scale,
    weights_or_data,
)

KEY = jax.random.key(0)


class Lever(qs.Environment):
    """Pays and shows `odd` in the second step of one task in two."""

    horizon: int = eqx.field(static=True, default=3)
    shown: float = 0.0
    paid: float = 0.0

    @property
    def actions(self):
        return qs.Continuous(1)

    @property
    def observation_shape(self):
        return (1,)

    def sample(self, key):
        return jax.random.uniform(key, minval=-1.0)

    def reset(self, key, task):
        return jnp.zeros(()), jnp.zeros(1)

    def step(self, key, state, action, task):
        odd = (task > 0) & (state == 1)
        seen = jnp.where(odd, self.shown, action)
        reward = jnp.where(odd, self.paid, -jnp.abs(action[0] - task))
        return qs.Step(state + 1, seen, reward, jnp.zeros((), bool))


def rl2(family, **given):
    trial = qs.Trial(family, episodes=2)
    policy = qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 4, key=KEY))
    ppo = qs.PPO(optax.adam(1e-2), minibatches=1)
    return qs.RL2(policy, trial, ppo, trials=8, validation_trials=4, **given)


def maml(family):
    adaptation = qs.Adaptation(family, qs.Rate(0.1), qs.LVC(), trajectories=4)
    policy = qs.Reactive.create(family, (4,), key=KEY)
    return qs.MAMLRL(policy, adaptation, qs.OuterTrustRegion(), tasks=4, validation_tasks=4)


def said(algorithm, steps=2):
    with pytest.raises(qs.NonFiniteLoss) as error:
        qs.fit(algorithm, qs.Plan(steps=steps), key=KEY)
    return str(error.value)


@pytest.mark.parametrize("make", [rl2, maml])
@pytest.mark.parametrize(
    ("odd", "what"), [({"paid": np.nan}, "a reward"), ({"shown": np.inf}, "an observation")]
)
def test_an_environment_that_returns_what_is_not_finite_is_named(make, odd, what):
    message = said(make(Lever(**odd)))
    assert f"In step 0 the environment returned {what} that is infinite or not-a-number" in message
    assert RATES not in message


def lost(tree):
    return jax.tree.map(lambda x: x * np.nan if eqx.is_inexact_array(x) else x, tree)


@pytest.mark.parametrize("make", [rl2, maml])
def test_a_policy_that_has_diverged_is_not_the_environment_s_fault(make):
    algorithm = make(Lever())
    state = lost(algorithm.init())
    assert data_at_fault(algorithm, state, KEY, (0, 2, 2)) == ""
    assert weights_or_data(algorithm, state, KEY) == ""
    assert weights_or_data(algorithm, algorithm.init(), KEY) == UNTOLD
    assert data_at_fault(algorithm, algorithm.init(), KEY, (0, 2, 2)) == ""


def test_rewards_that_are_too_large_are_told():
    """Finite, and not their squares: every reward would be paid as nothing."""
    family = Lever(paid=1e30)
    assert LARGE in said(rl2(family, scale=Running.of(family)))
    assert data_at_fault(rl2(family), rl2(family).init(), KEY, (0, 1, 1)) == LARGE
    greatest = Lever(paid=1e12)
    fitted = qs.fit(rl2(greatest, scale=Running.of(greatest)), qs.Plan(steps=2), key=KEY)
    demand_scale(fitted.last, (0, 2), None)
    assert fitted.last.scale.returns.variance > 1e20


def test_metrics_that_are_not_finite_are_named():
    demand_finite({"loss": 1.0}, (0, 5), None)
    with pytest.raises(qs.NonFiniteLoss, match=f"return, score became.*steps 0–5; .*{RATES}"):
        demand_finite({"loss": 1.0, "return": np.nan, "score": -np.inf}, (0, 5), None)
    with pytest.raises(qs.NonFiniteLoss, match=r"no checkpoint yet\. Mend it"):
        demand_finite({"loss": np.nan}, (0, 5), None, lambda: "Mend it")


class Curve:
    """Tasks of which every second has an `odd` target or input."""

    def __init__(self, part, odd):
        self.part, self.odd = part, odd

    def sample(self, key):
        x = jax.random.normal(key, (4, 2))
        odd = jnp.where(x[0, 0] > 0, self.odd, 1.0)
        x, y = (x * odd, x) if self.part == "inputs" else (x, x * odd)
        return qs.Task(qs.Examples(x[:2], y[:2]), qs.Examples(x[2:], y[2:]))


@pytest.mark.parametrize("part", ["inputs", "targets"])
@pytest.mark.parametrize(
    ("odd", "what"), [(np.nan, "that are infinite or not-a-number"), (1e30, "of up to ")]
)
@pytest.mark.parametrize("when", ["step 0", "validation"])
def test_tasks_that_are_not_finite_or_vast_are_named(part, odd, what, when):
    learner = qs.MAML(qs.MLP(2, (4, 2), key=KEY), inner_lr=0.1, loss=qs.squared_error)
    tasks, sound = Curve(part, odd), Curve(part, 1.0)
    training, validation = (tasks, sound) if when == "step 0" else (sound, tasks)
    with pytest.raises(qs.NonFiniteLoss) as error:
        qs.train(
            learner,
            training,
            validation=validation,
            plan=qs.MetaPlan(steps=2, meta_batch=8, validation_episodes=8),
            key=KEY,
        )
    assert f"In {when} tasks have {part} {what}" in str(error.value)
    assert RATES not in str(error.value)


def test_a_rate_that_is_too_high_is_the_rate_s_fault():
    learner = qs.MAML(qs.MLP(2, (4, 2), key=KEY), inner_lr=1e30, loss=qs.squared_error)
    with pytest.raises(qs.NonFiniteLoss, match=RATES):
        qs.train(
            learner,
            Curve("inputs", 1.0),
            validation=Curve("inputs", 1.0),
            plan=qs.MetaPlan(steps=2, meta_batch=8, validation_episodes=8),
            key=KEY,
        )
