"""MAML for RL on the host: the same trajectories, and the same improvement, as compiled."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.inner import FromZero, LearnedRates, Only, Rate
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.adapted import replayed, update_returns
from quickstudy.rl.estimators import LVC, Naive, ScoreTerm
from quickstudy.rl.first_weights import He
from quickstudy.rl.host_adaptation import host_adaptations
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.maml import MAMLRL
from quickstudy.rl.outer import OuterAscent, OuterTrustRegion
from quickstudy.rl.reactive import Reactive, context_of
from quickstudy.training.algorithm import update
from quickstudy.training.fit import fit
from quickstudy.training.plan import Plan
from references.corridor import Corridor
from references.crashing import Crash, Crashing

pytest.importorskip("gymnasium")
from references import pulls

KEY = jax.random.key(0)
K = 4


def corridors(copies):
    """Our own corridor, deterministic, as the host steps it."""
    host = HostEnvironment(
        lambda: qs.as_gymnasium(Corridor()),
        lambda rng: jnp.asarray(rng.integers(1, 4)),
        lambda env, task: env.unwrapped.set_task(task),
        copies,
        horizon=4,
    )
    return HostFamily(host)


def bandits(copies):
    return HostFamily(
        HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, copies, horizon=1)
    )


def maml(family, outer=OuterTrustRegion(), estimator=LVC(), rule=Rate(0.5), **settings):  # noqa: B008
    policy = Reactive.create(family, (4,), key=KEY)
    head = qs.Linear.create(4, family.actions.size, key=KEY)
    policy = eqx.tree_at(lambda p: p.head, policy, head)
    adaptation = Adaptation(family, rule, estimator, trajectories=K)
    return MAMLRL(policy, adaptation, outer, **{"tasks": 6, "validation_tasks": 8, **settings})


def improved(algorithm, state, batch):
    return eqx.filter_jit(algorithm.improve)(state, batch, jnp.zeros(()))


def step(algorithm, state):
    return improved(algorithm, state, algorithm.collect(state, KEY))


def close(one, other, rtol=1e-4, atol=1e-5):
    for a, b in zip(*map(jax.tree.leaves, (one, other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def only_real(paths):
    """What was done, with zeros for steps after an episode's end: copies stop together."""
    end = paths.real.ndim
    real = lambda x: paths.real.reshape(paths.real.shape + (1,) * (x.ndim - end))  # noqa: E731
    return jax.tree.map(lambda x: np.where(real(x), x, 0), paths)


def test_trajectories_are_those_of_the_adapted_policies_in_their_tasks():
    """What was seen and paid is the corridor's, and what was noted is what the policy that the
    stored trajectories make would do: in each task its own, after each update another."""
    family = corridors(6 * K)
    algorithm = maml(family, rule=Rate(3.0))
    policy, adaptation = algorithm.policy, algorithm.adaptation
    begun = noted(family.host, "begin")
    sets, after = host_adaptations(policy, adaptation, 2, KEY, 6)
    # The corridor draws nothing, so that only this shows that all but the tasks is drawn anew.
    assert [given[1:] for given in begun] == [(0, K, visit) for visit in range(3)]
    lengths = [int(task) for task in family.host.tasks[::K]]
    assert len(set(lengths)) > 1
    assert (sets.reward.shape, after.reward.shape) == ((6, 2, K, 4), (6, K, 4))
    for n, length in enumerate(lengths):
        of_task = jax.tree.map(lambda x, n=n: x[n], sets)
        policies = replayed(policy, adaptation, of_task)
        for stage, there in enumerate(policies):
            paths = after if stage == 2 else jax.tree.map(lambda x, s=stage: x[:, s], sets)
            paths = jax.tree.map(lambda x, n=n: x[n], paths)
            demand_corridor(paths, length)
            found = eqx.filter_jit(log_probs)(there, paths)
            np.testing.assert_allclose(found[paths.real], paths.log_prob[paths.real], atol=1e-5)
    stages = update_returns(policy, adaptation, 2, KEY, 6)
    np.testing.assert_allclose(stages[:, 2], after.reward.sum(-1).mean(-1), rtol=1e-6)
    np.testing.assert_allclose(stages[:, :2], sets.reward.sum(-1).mean(-1), rtol=1e-6)


def noted(host, name):
    """The arguments of every call, from now on."""
    calls, method = [], getattr(host, name)

    def noting(*given):
        calls.append(given)
        return method(*given)

    setattr(host, name, noting)
    return calls


def test_nothing_is_stepped_when_the_trajectories_that_are_wanted_are_over():
    """Five tasks, three at once, before and after one update, by pulls of one step each."""
    host = HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, 3 * K, horizon=40)
    algorithm = maml(HostFamily(host))
    stepped = noted(host, "step")
    sets, after = host_adaptations(algorithm.policy, algorithm.adaptation, 1, KEY, 5)
    assert len(stepped) == 2 * 2
    assert sets.reward.shape == (5, 1, K, 40)
    assert (after.real.sum(-1) == 1).all()


def log_probs(policy, paths):
    actions = policy.actions(paths.observation.reshape(-1, 2))
    found = jax.vmap(type(actions).log_prob)(actions, paths.action.reshape(-1))
    return found.reshape(paths.action.shape)


def demand_corridor(paths, length):
    at = np.zeros(K)
    real = np.ones(K, bool)
    for time in range(4):
        np.testing.assert_array_equal(paths.real[:, time], real)
        np.testing.assert_array_equal(paths.observation[real, time, 0], at[real])
        at = at + paths.action[:, time]
        np.testing.assert_array_equal(paths.reward[:, time], np.where(real, at, 0))
        real = real & (at < length)


def test_the_same_tasks_as_trials_and_for_any_number_of_copies():
    families = [corridors(n * K) for n in (2, 3, 5)]
    found = [host_adaptations(a.policy, a.adaptation, 1, KEY, 5) for a in map(maml, families)]
    found = [tuple(map(only_real, paths)) for paths in found]
    close(found[0], found[2])
    close(found[1], found[2])
    tasks = [int(task) for task in families[2].host.tasks[::K]]
    alone = maml(families[2])
    third = host_adaptations(alone.policy, alone.adaptation, 1, KEY, 1, first=2)
    close(tuple(map(only_real, third)), jax.tree.map(lambda x: x[2:3], found[2]))
    trial = qs.Trial(corridors(5), 2)
    host_rollouts(qs.Random(trial.environment), trial, KEY, 5)
    assert [int(task) for task in trial.environment.host.tasks] == tasks


@pytest.mark.parametrize("scored", [1, 2])
def test_the_improvement_is_the_compiled_one(scored):
    """Of the trajectories that a compiled step collects: stored, they give the same step."""
    how = {"estimator": ScoreTerm(Naive()), "steps": 2, "scored": scored}
    on_host = maml(corridors(6 * K), **how)
    compiled = dataclasses.replace(maml(Corridor(), **how), policy=on_host.policy)
    state = compiled.init()
    stored = eqx.filter_jit(compiled.collect)(state, KEY)
    whole = eqx.filter_jit(update)(compiled, state, KEY, jnp.zeros(()))
    assert float(whole[1]["accepted"]) == 1
    close(improved(on_host, state, stored), whole)


def test_devices_change_nothing(one_device):
    """Five tasks do not share out evenly; what fills up must not count. It is CAVIA that adapts."""
    cavia = Only(FromZero(Rate(3.0)), context_of)

    def updated():
        algorithm = maml(corridors(5 * K), rule=cavia, tasks=5, steps=2)
        # Of the larger features, with which the solution of the trust region is well determined.
        policy = Reactive.with_context(
            algorithm.adaptation.environment, (4,), 3, key=KEY, first=He()
        )
        algorithm = dataclasses.replace(algorithm, policy=policy)
        return step(algorithm, algorithm.init())

    two = updated()
    one_device()
    close(updated(), two)
    assert float(two[1]["accepted"]) == 1
    assert not context_of(two[0].parameters[0]).any()


def test_without_a_step_it_trains_one_policy_for_all():
    algorithm = maml(corridors(6 * K), steps=0)
    metrics = step(algorithm, algorithm.init())[1]
    assert float(metrics["return"]) == float(metrics["return_before"])
    assert float(metrics["accepted"]) == 1


def test_it_learns_and_is_the_same_when_resumed(tmp_path):
    """Four pulls tell a lot about which of three arms pays, once pulling them all was learned."""
    family = bandits(64 * K)
    rates = LearnedRates.like(maml(family).policy, 1.0)
    outer = OuterAscent(optax.adam(0.05))
    algorithm = maml(family, outer, rule=rates, tasks=64, validation_tasks=128)
    assert algorithm.host is family.host
    plan = Plan(steps=40, validate_every=20)
    whole = fit(algorithm, plan, key=KEY)
    policy, rule = whole.last
    adaptation = eqx.tree_at(lambda a: a.rule, algorithm.adaptation, rule)
    found = update_returns(policy, adaptation, 1, KEY, 512).mean(0)
    assert abs(found[0] - 0.35) < 0.05
    assert found[1] > found[0] + 0.1

    run = qs.Run.create(tmp_path / "run", {"recipe": "pulls"})
    with pytest.raises(Crash):
        fit(algorithm, plan, key=KEY, run=run, report=Crashing(at=20))
    assert run.checkpoints.steps()[0] == 20
    resumed = fit(algorithm, plan, key=KEY, run=run)
    for a, b in zip(*map(jax.tree.leaves, (resumed, whole)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert run.metrics()[-1]["step"] == 40


def test_what_cannot_be():
    odd = maml(corridors(K + 1))
    with pytest.raises(qs.BadInput, match="5 copies, which do not share out to tasks of 4"):
        host_adaptations(odd.policy, odd.adaptation, 1, KEY, 2)
    compiled = maml(Corridor())
    with pytest.raises(qs.BadInput, match="adapt in it with Adaptation"):
        host_adaptations(compiled.policy, compiled.adaptation, 1, KEY, 2)
