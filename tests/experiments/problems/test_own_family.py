"""A family of MDPs of one's own: compiled, or of Gymnasium environments, also in processes."""

import json
import multiprocessing
import sys
from dataclasses import dataclass, replace

import jax
import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.experiments.problem import Problem, Source
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.saved import load
from quickstudy.experiments.scope import Scope
from quickstudy.experiments.settings import read_settings, settings_json
from quickstudy.testing.comparing import same_bits
from references.own_code import forget
from references.reading_html import demand_self_contained
from references.refusing import demand_refused, stopped

FEW = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2"
LEVER = '''
import jax
import jax.numpy as jnp
import quickstudy as qs


class Lever(qs.Environment):
    """Which of two levers pays?"""

    horizon: int = 2
    actions = qs.Discrete(2)
    observation_shape = (1,)

    def sample(self, key):
        return jax.random.bernoulli(key)

    def reset(self, key, task):
        return jnp.zeros(()), jnp.ones(1)

    def step(self, key, state, action, task):
        return qs.Step(state, jnp.ones(1), (action == task) * 1.0, jnp.array(False))


class Keyed(Lever):
    """A key is a part of the task, as the seed of a maze is."""

    def sample(self, key):
        return {"pays": jax.random.bernoulli(key), "key": key}

    def step(self, key, state, action, task):
        return super().step(key, state, action, task["pays"])


class Blind(Lever):
    def step(self, key, state, action, task):
        return super().step(key, state, action, 0)
'''
POLES = '''
import gymnasium
import numpy as np

HORIZON = 20


class Pictured(gymnasium.Wrapper):
    def render(self):
        return np.full((20, 30, 3), 200, np.uint8)


class Poles:
    """CartPole whose pole has another length in each task."""

    horizon = HORIZON

    def make(self):
        return Pictured(gymnasium.make("CartPole-v1"))

    def sample_task(self, rng):
        return rng.uniform(0.25, 1.0)

    def set_task(self, env, length):
        env.unwrapped.length = length


class Lost(Poles):
    def set_task(self, env, length):
        env.length = length


class Same(Poles):
    def set_task(self, env, length):
        pass


class Listed:
    horizon, tasks = HORIZON, [0.25, 0.5, 0.75, 1.0, 1.25]
    make, set_task = Poles.make, Poles.set_task


class Named(Listed):
    tasks = {"train": [0.25, 0.5], "test": [0.75]}


class Both(Listed):
    sample_task = Poles.sample_task


class Neither:
    """Its parts are set where it is made."""

    make, set_task, sample_task = Poles.make, Poles.set_task, None

    def __init__(self):
        self.horizon, self.tasks = HORIZON, [0.25, 0.5, 1.0]


class Needy(Poles):
    def __init__(self, length):
        self.length = length


class Half:
    def sample_task(self, rng):
        return 1
'''


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """The folder that holds lever.py and poles.py."""
    folder = tmp_path_factory.mktemp("families")
    (folder / "lever.py").write_text(LEVER)
    (folder / "poles.py").write_text(POLES)
    yield folder
    forget(folder)


def results(run):
    return json.loads((run / "evaluation-test-3-episodes.json").read_text())


def test_a_compiled_family_is_acted_in(families, tmp_path, capsys):
    run, small = tmp_path / "run", "--width 4 --trial-episodes 2 --minibatches 1 --epochs 1"
    named = f"{families / 'lever.py'}:Lever"
    main(f"train rl2 --on {named} {small} {FEW} --no-test --run {run}".split())
    main(f"evaluate {run} --recipe {named} --episodes 3".split())
    assert results(run)["data"] == "lever.py:Lever"
    assert results(run)["recipe"] == "rl2-lever"
    assert "random" in capsys.readouterr().out
    assert "Lever" in stopped(["play", str(run), "--recipe", named], capsys)


def test_a_key_may_be_a_part_of_a_task(families):
    def first_tasks(name):
        problem = find_problem(f"{families / 'lever.py'}:{name}")
        return problem.test_tasks("test")["settings"]["first_tasks"]

    assert first_tasks("Keyed") == first_tasks("Keyed") != first_tasks("Lever")


@pytest.mark.parametrize(
    ("method", "small"),
    [
        ("rl2", "--width 4 --minibatches 1 --epochs 1 --processes 2"),
        ("maml", "--width 4 --trajectories 2 --updates 1"),
    ],
)
def test_a_gymnasium_family_is_acted_in(method, small, families, tmp_path, capsys):
    """Trained, resumed, tested beside random actions, filmed and told as a page; also in processes
    that could not import what the file defines, none of which stays."""
    pytest.importorskip("gymnasium")
    named, run = f"{families / 'poles.py'}:Poles", tmp_path / "run"
    opened, before = ["--recipe", named], multiprocessing.active_children()
    main(f"train {method} --on {named} {small} {FEW} --no-test --run {run}".split())
    learned = load(run, recipe=named)
    max((run / "checkpoints").iterdir()).unlink()
    main(["train", "--resume", str(run), "--no-test", *opened])
    assert same_bits(load(run, recipe=named), learned)
    main(["evaluate", str(run), "--episodes", "3", *opened])
    assert "random" in capsys.readouterr().out
    assert multiprocessing.active_children() == before
    found = results(run)
    assert found["data"] == "poles.py:Poles"
    assert all(0 < stage["mean"] <= 20 for stage in found["policy"]["episodes"])
    main(["report", str(run), *opened])
    demand_self_contained((run / "report.html").read_text())
    assert (run / "play-test-0.gif").stat().st_size > 100


def test_a_run_is_exported_without_its_code_and_knows_its_spaces(families, tmp_path, capsys):
    """A file whose environment has other actions since is refused."""
    pytest.importorskip("gymnasium")
    (tmp_path / "moving.py").write_text(POLES)
    run, file = str(tmp_path / "run"), str(tmp_path / "moving.py")
    small = f"{FEW} --width 4 --minibatches 1 --no-test"
    main(f"train rl2 --on {file}:Poles {small} --run {run}".split())
    forget(tmp_path)
    main(["export", run, str(tmp_path / "poles.safetensors")])
    assert qs.load(tmp_path / "poles.safetensors").agent().reset([0.0] * 4) in (0, 1)
    assert "moving" not in sys.modules
    changed = POLES.replace(
        'Pictured(gymnasium.make("CartPole-v1"))',
        'gymnasium.wrappers.TransformAction(gymnasium.make("CartPole-v1"), lambda a: a % 2, '
        "gymnasium.spaces.Discrete(3))",
    )
    (tmp_path / "moving.py").write_text(changed)
    said = stopped(["evaluate", run, "--recipe", f"{file}:Poles", "--episodes", "2"], capsys)
    assert "was trained where an environment takes" in said
    assert "this one takes {'kind': 'Discrete', 'n': 3}" in said
    files = [tmp_path / "run" / f"{name}.json" for name in ("recipe", "environment")]
    kept = [one.read_text() for one in files]
    longer = f"train --resume {run} --recipe {file}:Poles --steps 9 --no-test".split()
    assert "this one takes {'kind': 'Discrete', 'n': 3}" in stopped(longer, capsys)
    (tmp_path / "moving.py").write_text(POLES.replace("HORIZON = 20", "HORIZON = 15"))
    forget(tmp_path)
    assert "in episodes of up to 20 steps, and they have 15 now" in stopped(longer, capsys)
    assert kept == [one.read_text() for one in files], "what is refused changes nothing"
    forget(tmp_path)


@pytest.mark.parametrize(
    ("text", "name", "edit"),
    [
        (POLES, "Poles", ("rng.uniform(0.25, 1.0)", "rng.uniform(0.25, 0.5)")),
        (POLES, "Poles", ("HORIZON = 20", "HORIZON = 15")),
        (POLES, "Named", ('"test": [0.75]', '"test": [0.8]')),
        (LEVER, "Lever", ("horizon: int = 2", "horizon: int = 3")),
        (LEVER, "Lever", ("jax.random.bernoulli(key)", "jax.random.bernoulli(key, 0.01)")),
    ],
)
def test_an_edited_file_has_other_test_tasks(text, name, edit, tmp_path):
    """So that runs before and after it are not compared as if they had met the same ones."""
    pytest.importorskip("gymnasium")
    assert edit[0] in text
    file, found = tmp_path / "edited.py", []
    for version in (text, text, text.replace(*edit)):
        file.write_text(version)
        forget(tmp_path)
        problem = find_problem(f"{file}:{name}").prepared(Source())
        found.append(problem.test_tasks("test"))
    assert found[0] == found[1] != found[2]
    forget(tmp_path)


def test_a_vector_steps_as_copies_one_by_one(families):
    """And is not shared by processes."""
    pytest.importorskip("gymnasium")
    (families / "vectors.py").write_text(VECTORS, encoding="utf-8")
    names = [f"{families / 'poles.py'}:Poles", f"{families / 'vectors.py'}:Vectors"]
    problems, key = [find_problem(name) for name in names], jax.random.key(0)
    trials = [problem.trial("train", 4) for problem in problems]
    assert isinstance(trials[1].environment.host, qs.HostVector)
    one, two = (qs.host_rollouts(qs.Random(t.environment), t, key, 6) for t in trials)
    assert same_bits(one, two)
    shared = problems[1].__class__(own=problems[1].own, processes=2)
    with pytest.raises(qs.BadInput, match=r"vectors.py:Vectors makes .*--processes 2 would not"):
        shared.environment("train", 4)


VECTORS = """
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from poles import Poles

class Vectors(Poles):
    def make_vector(self, copies):
        return SyncVectorEnv([self.make] * copies, autoreset_mode=AutoresetMode.DISABLED)

    def set_tasks(self, vector, tasks):
        for env, task in zip(vector.envs, tasks, strict=True):
            self.set_task(env, task)
"""


def test_processes_know_what_the_file_defines(families):
    """And step as one process does."""
    pytest.importorskip("gymnasium")
    problem, key = find_problem(f"{families / 'poles.py'}:Poles"), jax.random.key(0)
    trials = [problem.__class__(own=problem.own, processes=n).trial("train", 4) for n in (0, 2)]
    assert isinstance(trials[1].environment.host, qs.HostWorkers)
    one, two = (qs.host_rollouts(qs.Random(t.environment), t, key, 4) for t in trials)
    assert same_bits(one, two)
    trials[1].environment.host.close()


@pytest.mark.parametrize("method", ["rl2 --processes 2", "maml"])
def test_a_family_that_breaks_its_contract_is_not_trained(method, families, tmp_path, capsys):
    pytest.importorskip("gymnasium")
    train = f"train {method} --on {families / 'poles.py'}:"
    (tmp_path / "runs").mkdir()
    run = f" --run {tmp_path / 'runs' / 'one'}"
    said = "write env.unwrapped.length"
    demand_refused((train + "Lost" + run).split(), said, tmp_path / "runs", capsys)
    told = stopped((train + "Same" + run).split(), capsys)
    assert "poles.py:Same, split train: the family breaks the property 'tasks'" in told
    assert "give --contract trusted" in told


def test_a_compiled_family_is_checked(families):
    problem = find_problem(f"{families / 'lever.py'}:Blind")
    with pytest.raises(qs.BadInput, match=r"lever\.py:Blind: .*'tasks'.*--contract trusted"):
        problem.demand_contract(copies=2)
    replace(problem, contract="trusted").demand_contract(copies=2)


def test_a_family_that_is_trusted_is_trained(families, tmp_path):
    pytest.importorskip("gymnasium")
    small = f"--width 4 --trial-episodes 1 --minibatches 1 --epochs 1 {FEW} --no-test"
    run = tmp_path / "run"
    named = f"{families / 'poles.py'}:Same --contract trusted --run {run}"
    main(f"train rl2 --on {named} {small}".split())
    assert load(run, recipe=f"{families / 'poles.py'}:Same")


def test_every_split_is_checked(families):
    """Of a problem with families of its own."""
    pytest.importorskip("gymnasium")

    @dataclass(frozen=True)
    class Poles(qs.HostProblem):
        def family(self, split):
            name = "Lost" if split == "test" else "Poles"
            return find_problem(f"{families / 'poles.py'}:{name}").family(split)

    with pytest.raises(qs.BadInput, match=r"split test: .*'returned'.*env\.unwrapped"):
        Poles().demand_contract(copies=4)
    replace(Poles(), contract="trusted").demand_contract(copies=4)


def listed(families, name):
    problem = find_problem(f"{families / 'poles.py'}:{name}").prepared(Source())
    splits = ("train", "validation", "test")
    return problem, {split: problem.whole(split).sample_task.tasks for split in splits}


def test_listed_tasks_are_divided_and_the_run_keeps_it(families):
    pytest.importorskip("gymnasium")
    problem, tasks = listed(families, "Listed")
    assert sorted(sum(tasks.values(), ())) == [0.25, 0.5, 0.75, 1.0, 1.25]
    assert [len(own) for own in tasks.values()] == [3, 1, 1]
    assert problem.unlike() == ("train", "validation", "test")
    problem.demand_contract(copies=2)
    assert f"test: 1 of 5 tasks, number {problem.test[0]} ({tasks['test'][0]})" in problem.notes()
    kept = read_settings(Problem, settings_json(problem), Scope({"Listed": problem.own.thing}))
    assert (kept, kept.test) == (problem, problem.test)
    assert kept.whole("test").sample_task.tasks == tasks["test"]
    for other in ([0.25, 0.5, 0.75, 1.0], {"train": [1, 2], "test": [3, 4, 5]}):
        changed = type("Listed", (problem.own.thing,), {"tasks": other})
        with pytest.raises(qs.BadInput, match="it did not when this run divided them"):
            replace(problem, own=replace(problem.own, thing=changed)).family("train")


def test_a_list_in_another_order_is_another_list(families):
    """Places would name other tasks, so that tests met what was trained on."""
    pytest.importorskip("gymnasium")
    problem, _ = listed(families, "Listed")
    for tasks in ([0.5, 0.75, 1.0, 1.25, 0.25], [0.25, 0.5, 0.75, 1.0, 2.0]):
        changed = type("Listed", (problem.own.thing,), {"tasks": tasks})
        with pytest.raises(qs.BadInput, match="lists other tasks than when this run divided them"):
            replace(problem, own=replace(problem.own, thing=changed)).family("train")


def test_tasks_come_from_one_place(families):
    with pytest.raises(qs.BadInput, match="has sample_task and tasks, and tasks come from one"):
        find_problem(f"{families / 'poles.py'}:Both")
    assert find_problem(f"{families / 'poles.py'}:Neither").own.thing().tasks == [0.25, 0.5, 1.0]


def test_a_family_that_cannot_be_made(families):
    with pytest.raises(qs.BadInput, match=r"poles\.py:Needy: Needy\(\) fails: .*'length'"):
        find_problem(f"{families / 'poles.py'}:Needy")


def test_splits_of_one_s_own(families):
    """Without tasks for validation, which then meets those of training."""
    pytest.importorskip("gymnasium")
    problem, tasks = listed(families, "Named")
    assert tasks == {"train": (0.25, 0.5), "validation": (0.25, 0.5), "test": (0.75,)}
    assert problem.notes()[-1] == "validation: the tasks of training"
    problem.demand_contract(copies=2)
    hosts = {split: problem.environment(split, 4).host for split in ("train", "test")}
    for split, host in hosts.items():
        host.begin(0)
        assert set(host.tasks) == set(tasks[split])
        host.close()


@pytest.mark.parametrize("horizon", [None, 0, -1, 2.5, "many"])
def test_a_horizon_is_a_number_of_steps(families, horizon):
    pytest.importorskip("gymnasium")
    problem = find_problem(f"{families / 'poles.py'}:Poles")
    endless = type("Poles", (problem.own.thing,), {"horizon": horizon})
    problem = replace(problem, own=replace(problem.own, thing=endless))
    with pytest.raises(qs.BadInput, match=r"the horizon of poles\.py:Poles is .*--horizon"):
        problem.environment("train")
    assert replace(problem, horizon=7).environment("train").horizon == 7


def test_a_family_that_lacks_something(families):
    with pytest.raises(qs.BadInput, match="without make, set_task, horizon; give"):
        find_problem(f"{families / 'poles.py'}:Half")
