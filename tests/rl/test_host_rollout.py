"""Trials on the host: the same trials as compiled ones, and the same training."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.evaluation.trials import acting
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.ppo import PPO
from quickstudy.rl.rl2 import RL2
from quickstudy.rl.rollout import rollout
from quickstudy.training.fit import fit
from quickstudy.training.plan import Plan
from references.corridor import Corridor
from references.crashing import Crash, Crashing

pytest.importorskip("gymnasium")
from references import pulls

KEY = jax.random.key(0)


def corridors(copies, episodes=3):
    """Our own corridor, deterministic, as the host steps it."""
    from quickstudy.envs.gymnasium_env import as_gymnasium

    host = HostEnvironment(
        lambda: as_gymnasium(Corridor()),
        lambda rng: jnp.asarray(rng.integers(1, 4)),
        lambda env, task: env.unwrapped.set_task(task),
        copies,
        horizon=4,
    )
    return qs.Trial(HostFamily(host), episodes)


def bandits(copies, episodes=8):
    host = HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, copies, horizon=1)
    return qs.Trial(HostFamily(host), episodes)


def policy_for(trial):
    policy = qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 6, key=KEY))
    actor = qs.Linear.create(6, trial.environment.actions.size, key=KEY)
    return eqx.tree_at(lambda p: p.actor, policy, actor)


def rl2(trial, trials=6, rate=0.1, **settings):
    improvement = PPO(optax.adam(rate), epochs=2, minibatches=2)
    return RL2(policy_for(trial), trial, improvement, trials, 32, **settings)


def test_a_trial_on_the_host_is_a_trial():
    """What was seen, paid and ended is what compiled trials make of the same actions."""
    trial = corridors(copies=2)
    paths = host_rollouts(policy_for(trial), trial, KEY, 4)
    compiled = qs.Trial(Corridor(), 3)
    assert paths.reward.shape == (4, compiled.steps)
    step = jax.jit(compiled.step)
    ended_early = 0
    for n in range(4):
        # The task is not told; the first episode that ends by its own rule gives it away.
        lengths = [length for length in (1, 2, 3) if fits(paths, n, length, compiled, step)]
        assert len(lengths) == 1
        ended_early += not paths.real[n].all()
    assert ended_early, "some trial must have been over before its time"


def fits(paths, n, task, trial, step):
    """Whether trial n is one of the corridor of that length."""
    task = jnp.asarray(task)
    place, seen = trial.begin(KEY, task)
    for time in range(trial.steps):
        real = not trial.over(place)
        here = jax.tree.map(lambda x, time=time: x[n, time], paths.seen)
        same = all(np.array_equal(a, b) for a, b in zip(here, seen, strict=True))
        if bool(paths.real[n, time]) != real:
            return False
        if not real:  # what follows its last episode is no part of a trial
            continue
        if not same:
            return False
        place, seen, outcome = step(KEY, place, paths.action[n, time], task)
        paid = float(outcome.reward)
        if float(paths.reward[n, time]) != paid or bool(paths.done[n, time]) != outcome.done:
            return False
    return True


@pytest.mark.parametrize("parts", [1, 4])
def test_nothing_is_stepped_when_the_trials_that_are_wanted_are_over(parts):
    """Episodes of one step and a horizon of 40: five trials of three copies take two times eight
    steps, and earn what they earn with a horizon of one."""
    host = HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, 3, horizon=40)
    trial, short = qs.Trial(HostFamily(host), 8), bandits(3)
    stepped = counted(host)
    paths = host_rollouts(policy_for(trial), trial, KEY, 5, parts=parts)
    assert len(stepped) == 2 * 8
    assert paths.reward.shape == (5, 8 * 40)
    assert (paths.real.sum(1) == 8).all()
    assert not (paths.done & ~paths.real).any()
    brief = host_rollouts(policy_for(short), short, KEY, 5, parts=1)
    for a, b in zip(*map(jax.tree.leaves, (paths[:-2], brief[:-2])), strict=True):
        np.testing.assert_array_equal(a[:, :8], b)
    assert jax.tree.leaves(paths.states)[0].shape[:2] == (5, parts)


def test_copies_that_no_trial_wants_keep_nobody_waiting():
    """The one trial that is wanted is over before its neighbour's."""
    trial = corridors(copies=2, episodes=1)
    lengths = [one_task(trial, n) for n in range(12)]
    first = next(n for n in range(11) if lengths[n] < lengths[n + 1])
    host = trial.environment.host
    right, stepped = Right(), counted(host)
    host_rollouts(right, trial, KEY, 1, first=first)
    assert len(stepped) == lengths[first]


def one_task(trial, number):
    host_rollouts(qs.Random(trial.environment), trial, KEY, 1, first=number)
    return int(trial.environment.host.tasks[0])


class Right(qs.Actor):
    """Goes right."""

    def begin(self, task):
        return jnp.zeros(())

    def act(self, state, seen, *, key):
        return state, jnp.ones((), jnp.int32), ()


def counted(host):
    """One entry for every step of the host from now on."""
    steps, step = [], host.step

    def counting(actions):
        steps.append(actions)
        return step(actions)

    host.step = counting
    return steps


def test_what_was_noted_is_what_training_thinks():
    trial = bandits(copies=3)
    policy = policy_for(trial)
    paths = host_rollouts(policy, trial, KEY, 3, parts=2)
    log_prob, value = paths.notes
    for n in range(3):
        for part in range(2):
            state = jax.tree.map(lambda x, at=(n, part): jnp.asarray(x[at]), paths.states)
            times = slice(4 * part, 4 * part + 4)
            seen = jax.tree.map(lambda x, at=(n, times): jnp.asarray(x[at]), paths.seen)
            thought = policy.rethink(state, seen)
            np.testing.assert_allclose(thought.value, value[n, times], rtol=1e-4, atol=1e-5)
            found = jax.vmap(type(thought.actions).log_prob)(
                thought.actions, paths.action[n, times]
            )
            np.testing.assert_allclose(found, log_prob[n, times], rtol=1e-4, atol=1e-5)


def test_how_many_copies_changes_nothing():
    """Five trials by two copies and by three, of which the last one stays unused."""
    one, other = (host_rollouts(policy_for(t), t, KEY, 5) for t in map(bandits, (2, 3)))
    for a, b in zip(*map(jax.tree.leaves, (one, other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("trials", [8, 6])
def test_devices_change_nothing(trials, one_device):
    """Six trials in two minibatches do not share out evenly; what fills up must not count."""

    def updated():
        algorithm = rl2(bandits(copies=trials), trials)
        state = algorithm.init()
        batch = algorithm.collect(state, KEY)
        return eqx.filter_jit(algorithm.improve)(state, batch, jnp.zeros(()))

    two = updated()
    one_device()
    for a, b in zip(*map(jax.tree.leaves, (updated(), two)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_it_learns_and_is_the_same_when_resumed(tmp_path):
    """A GRU learns to stay with the one arm that pays; random pulls find it one time in three."""
    algorithm = rl2(bandits(copies=128), trials=128, rate=2e-2, discount=1.0)
    assert algorithm.host is algorithm.trial.environment.host
    plan = Plan(steps=60, validate_every=20)
    whole = fit(algorithm, plan, key=KEY)
    trial = algorithm.trial
    random = acting(qs.Random(trial.environment), trial)(KEY, 640).returns
    assert random.shape == (640, 8)
    assert abs(random.mean() - 0.35) < 0.03
    learned = acting(whole.best, trial)(KEY, 640).returns
    assert learned.sum(1).mean() > random.sum(1).mean() + 1

    run = qs.Run.create(tmp_path / "run", {"recipe": "pulls"})
    with pytest.raises(Crash):
        fit(algorithm, plan, key=KEY, run=run, report=Crashing(at=20))
    assert run.checkpoints.steps()[0] == 20
    resumed = fit(algorithm, plan, key=KEY, run=run)
    for a, b in zip(*map(jax.tree.leaves, (resumed, whole)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert run.metrics()[-1]["step"] == 60


def test_what_cannot_be():
    with pytest.raises(qs.BadInput, match="horizon"):
        HostFamily(HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task))
    with pytest.raises(qs.BadInput, match="horizon is 0"):
        HostEnvironment(pulls.Pulls, pulls.sample_task, pulls.set_task, horizon=0)
    trial = bandits(copies=2)
    with pytest.raises(qs.BadInput, match="cannot be compiled"):
        rollout(qs.Random(trial.environment), trial, None, KEY)
    with pytest.raises(qs.BadInput, match="act in it with rollout"):
        host_rollouts(qs.Random(qs.Bandit()), qs.Trial(qs.Bandit(), 2), KEY, 2)
    with pytest.raises(qs.BadInput, match="in_a_row is 2"):
        qs.Trial(trial.environment, 2, in_a_row=2)
