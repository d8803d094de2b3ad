"""Code of one's own is one file: a learner, a network, a problem, a recipe."""

import importlib.metadata
import json
import re
import sys
from importlib.metadata import EntryPoint

import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.experiments import own
from quickstudy.experiments.own import from_file
from quickstudy.experiments.recipes import find_recipe, known
from references.own_code import forget
from references.refusing import demand_refused, stopped

MINE = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp

import quickstudy as qs
from sibling import START

if TYPE_CHECKING:
    from nowhere import Nothing


class Line(qs.Learner):
    """A line through the support set's mean, with a learned slope; it needs no network."""

    slope: jax.Array = eqx.field(default_factory=lambda: jnp.array(START))

    def adapt(self, support: qs.Examples, *, key: Nothing | None = None):
        middle = jnp.mean(support.y, 0, keepdims=True)
        return lambda x: middle + self.slope * x


class Start(qs.Learner):
    """The first field is `model`: a network with a head."""

    model: eqx.Module

    def adapt(self, support, *, key=None):
        return self.model


class Centre(qs.Learner):
    """The first field is something else: a network that makes features."""

    embed: eqx.Module

    def adapt(self, support, *, key=None):
        return lambda x: jnp.mean(self.embed(x), -1, keepdims=True)


class Many(qs.Learner):
    one: eqx.Module
    two: eqx.Module

    def adapt(self, support, *, key=None):
        return self.one


@dataclass(frozen=True)
class Sloped(qs.LearnerMethod):
    """A slope of one's own."""

    slope: float = START
    """The first slope."""

    def learner(self, problem: qs.ExampleProblem, seed: int):
        return Line(jnp.array(self.slope), loss=problem.loss)


@dataclass(frozen=True)
class Waves(type(qs.find_problem("sinusoid"))):
    """Sinusoids of one's own."""

    name = "waves"
    amplitude: float = 2.0
    """How high."""

    def tasks(self, split, source):
        return qs.Sinusoid(shots=3, queries=4, amplitude=(self.amplitude, self.amplitude))

    def training_tasks(self, split, source, ways=None):
        return self.tasks(split, source)


def features(inputs, *, key):
    return qs.MLP(inputs[0], (6,), key=key)


class Features(eqx.Module):
    weight: jax.Array

    def __init__(self, inputs, *, key):
        self.weight = jax.random.normal(key, (inputs[0], 7))

    def __call__(self, x):
        return jnp.tanh(x @ self.weight)


def flat(inputs, *, key):
    return lambda x: x[:, 0]


MINE = qs.Recipe(Waves(amplitude=3.0), Sloped(slope=0.25), qs.Budget(steps=4))
not_a_recipe = 3
'''
FEW = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2"


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    (folder / "mine.py").write_text(MINE)
    (folder / "sibling.py").write_text("START = 0.5\n")
    yield folder / "mine.py"
    forget(folder)


def results(run):
    (file,) = run.glob("evaluation-test-3-episodes*.json")
    return json.loads(file.read_text())


@pytest.mark.parametrize(
    ("train", "name"),
    [
        ("train {}:Line --on sinusoid", "line-sinusoid"),
        ("train {}:Start --on sinusoid --width 4", "start-sinusoid"),
        ("train {}:Centre --on sinusoid --width 4", "centre-sinusoid"),
        ("train {}:Sloped --on sinusoid --slope 2", "sloped-sinusoid"),
        ("train {0}:Sloped --on {0}:Waves --amplitude 1", "sloped-waves"),
        ("train maml --on {}:Waves --width 4", "maml-waves"),
        ("train maml --on sinusoid --network {}:features", "maml-sinusoid"),
        ("train ridge --on sinusoid --network {}:Features", "ridge-sinusoid"),
        ("train {}:MINE --slope 1", "mine.py:MINE"),
    ],
)
def test_examples_are_learned(train, name, mine, tmp_path, capsys):
    run = tmp_path / "run"
    main(f"{train.format(mine)} {FEW} --no-test --run {run}".split())
    assert f"training {name} in {run}" in capsys.readouterr().err
    opened = f"evaluate {run} --recipe {mine}:Line --episodes 3 --no-curves"
    main(opened.split())
    assert "squared error" in capsys.readouterr().out
    found = results(run)
    assert found["recipe"] == name
    assert found["data"].startswith("waves" if "Waves" in train or "MINE" in train else "sinusoid")
    for flag in ("slope", "amplitude"):
        if f"--{flag}" in train:
            part = {"slope": "method", "amplitude": "problem"}[flag]
            asked = float(train.partition(f"--{flag} ")[2])
            assert json.loads((run / "recipe.json").read_text())[part][flag] == asked


def test_a_recipe_has_the_settings_of_its_value(mine):
    recipe = find_recipe(f"{mine}:MINE")
    assert (recipe.problem.amplitude, recipe.method.slope, recipe.budget.steps) == (3.0, 0.25, 4)
    assert recipe.learner().slope == 0.25


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nowhere.py:X --on sinusoid", "no file .*nowhere.py"),
        ("{mine}:Circle --on sinusoid", "has no 'Circle'; it defines: .*Line, .*MINE"),
        ("{mine}:not_a_recipe", "3; give a recipe, a method .* or a class that extends"),
        ("{mine}:Line", "line is a method; name a problem too"),
        ("{mine}", r"names a file; name what is meant in it, too, as .*mine\.py:NAME"),
        ("{mine}:Many --on sinusoid", "needs one, two; give all fields but the network a default"),
        (
            "maml --on {mine}:Line",
            "give a problem .*, an Environment, .*make, sample_task, set_task and hor",
        ),
        ("maml --on sinusoid --network {mine}:flat", r"mine\.py:flat makes .* of a batch of 2"),
        ("{mine}:MINE --on sinusoid", "is a recipe, with a problem of its own"),
        ("{mine}:Line --on bandit", "learns from labelled examples, and bandit is not"),
    ],
)
def test_what_cannot_be(arguments, said, mine, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    typed = arguments.format(mine=mine).split()
    text = stopped(["train", *typed], capsys)
    assert re.search(said, " ".join(text.split())), text
    demand_refused(["train", *typed], "quickstudy:", tmp_path, capsys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = undefined\n", "line 2: NameError"),
        ("a = 1\n\nb = (\n", "line 3: SyntaxError"),
        ("def f():\n    raise OSError('lost')\n\nf()\n", "line 2: OSError: lost"),
        ("import nothing_of_this_name\n", "line 1: ModuleNotFoundError"),
        (
            "from . import helpers\n",
            "line 1: ImportError: attempted .*; import by name",
        ),
        (
            "import quickstudy as qs\n\nqs.Budget(clip=-1.0)\n",
            "line 3: clip is -1.0; give a finite number, of 0 or more",
        ),
    ],
)
def test_an_error_in_the_file_is_told_with_its_line(text, said, tmp_path):
    path = tmp_path / "faulty.py"
    path.write_text(text)
    with pytest.raises(qs.BadInput, match=rf"faulty\.py, {said}"):
        from_file(f"{path}:a")
    assert "faulty" not in sys.modules
    assert str(tmp_path) not in sys.path
    path.write_text("a = 1\n")
    assert from_file(f"{path}:a").thing == 1, "once it is mended"
    forget(tmp_path)


@pytest.mark.parametrize("name", ["random", "jax", "quickstudy", "zoneinfo"])
def test_a_file_must_not_hide_another_module(name, tmp_path):
    (tmp_path / f"{name}.py").write_text("a = 1\n")
    with pytest.raises(qs.BadInput, match=rf"{name}\.py has the name of a module .*rename"):
        from_file(f"{tmp_path / name}.py:a")


@pytest.mark.parametrize("text", ["import {0}\nx = {0}.Env\n", "from {0} import Env\n"])
def test_a_file_that_hides_what_it_imports_is_renamed(text, tmp_path):
    name = "hiding_" + text.split()[0]
    (tmp_path / f"{name}.py").write_text(text.format(name))
    with pytest.raises(qs.BadInput, match=f"Error.*the file hides .* {name}: rename the file"):
        from_file(f"{tmp_path / name}.py:a")


def test_values_are_told_among_what_a_file_defines(tmp_path):
    """Families and problems whose classes are defined elsewhere, and no other values."""
    (tmp_path / "told_base.py").write_text("class Lever:\n    def set_task(self, env, task): ...\n")
    (tmp_path / "told.py").write_text(
        "import quickstudy as qs\nfrom told_base import Lever\n"
        "C, D, number, _hidden = Lever(), qs.Bandit(arms=3), 3, Lever()\n"
    )
    with pytest.raises(qs.BadInput, match=r"has no 'E'; it defines: C, D$"):
        from_file(f"{tmp_path / 'told.py'}:E")
    forget(tmp_path)


def twins(folder, scales):
    """Two folders, each with a file that reads its sibling helpers.py."""
    for name, scale in scales.items():
        home = folder / name
        home.mkdir()
        (home / "helpers.py").write_text(f"SCALE = {scale}\n")
        (home / f"{name}.py").write_text("from helpers import SCALE\n")
    return [f"{folder / name / name}.py:SCALE" for name in scales]


def test_siblings_of_one_name_in_two_folders(tmp_path):
    """Each file would read its own, and a later import or a worker process either."""
    one, other = twins(tmp_path, {"one": 2.0, "other": 77.0})
    assert from_file(one).thing == 2.0
    with pytest.raises(qs.BadInput, match=r"other/helpers\.py, and .*one/helpers\.py has the same"):
        from_file(other)
    assert sys.modules["helpers"].SCALE == 2.0
    (tmp_path / "other" / "other.py").write_text("SCALE = 3.0\n")
    assert from_file(other).thing == 3.0, "a sibling that it does not read is in nobody's way"
    forget(tmp_path)


@pytest.mark.parametrize("text", ["import sys\nsys.exit()\n", "raise SystemExit(0)\n"])
def test_a_file_that_exits_says_so(text, tmp_path):
    (tmp_path / "leaving.py").write_text(text)
    with pytest.raises(qs.BadInput, match=r"leaving\.py, line \d: SystemExit"):
        from_file(f"{tmp_path / 'leaving.py'}:a")


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("raise OSError('no weights')", "OSError: no weights"),
        ("return inputs.wide", "AttributeError: .* no attribute 'wide'"),
        ("return inputs + 1", "TypeError: .*"),
    ],
)
def test_an_error_in_it_is_told_by_its_own_lines(does, said, tmp_path, capsys):
    (tmp_path / "falling.py").write_text(
        f"import quickstudy as qs\n\n\ndef net(inputs, key):\n    {does}\n"
    )
    told = rf"falling\.py, line 5, in net\s+{said}"
    said = stopped(f"train ridge --on sinusoid --network {tmp_path}/falling.py:net".split(), capsys)
    assert re.search(told, said), said
    assert "Traceback" not in said
    forget(tmp_path)


def test_what_quickstudy_refuses_in_it_is_told_with_its_lines(tmp_path, capsys):
    (tmp_path / "refused.py").write_text(
        "import quickstudy as qs\n\n\ndef net(inputs, key):\n    qs.Budget(clip=-1.0)\n"
    )
    said = stopped(f"train ridge --on sinusoid --network {tmp_path}/refused.py:net".split(), capsys)
    assert said.startswith("quickstudy: clip is -1.0; give a finite number"), said
    assert said.endswith(f"\n  {tmp_path}/refused.py, line 5, in net\n"), said
    forget(tmp_path)


FAULTY = """
from dataclasses import dataclass

import equinox as eqx
import quickstudy as qs


class Nothing(qs.Learner):
    model: eqx.Module

    def adapt(self, support, *, key=None):
        return None


class Keyless(qs.Learner):
    model: eqx.Module

    def adapt(self, support):
        return self.model


class Wide(qs.Learner):
    model: eqx.Module

    def adapt(self, support, *, key=None):
        return lambda x: self.model(x)[:, [0, 0, 0]]


class Unfinished(qs.Learner):
    model: eqx.Module


@dataclass(frozen=True)
class Unmade(qs.LearnerMethod):
    def learner(self, problem, seed):
        return None


def none(inputs, key):
    return None


number = 3
"""


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("{}:Nothing --on sinusoid", "adapt returns None; it must return a predictor"),
        ("{}:Keyless --on sinusoid", r"takes \(support\); write def adapt\(self, support, \*, key"),
        ("{}:Unmade --on sinusoid", r"learner\(problem, seed\) returns None; it must return a"),
        ("{}:Wide --on sinusoid", "faulty_parts.py:Wide.*(targets|y)"),
        ("{}:Unfinished --on sinusoid", "Can't instantiate abstract class Unfinished"),
        ("ridge --on sinusoid --network {}:none", "returns None; it must return a module"),
        ("ridge --on sinusoid --network {}:number", r"number\(tuple, key=...\) fails: 'int'"),
    ],
)
def test_code_that_does_not_fit_leaves_no_run(asked, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faulty_parts.py").write_text(FAULTY)
    text = stopped(["train", *asked.format(tmp_path / "faulty_parts.py").split()], capsys)
    forget(tmp_path)
    assert re.search(said, " ".join(text.split())), text
    assert not (tmp_path / "runs").exists()


def test_a_file_runs_once_and_may_be_imported(mine):
    assert from_file(f"{mine}:Line").thing is from_file(f"{mine}:Line").thing
    assert sys.modules["mine"].Line is from_file(f"{mine}:Line").thing
    assert from_file(f"{mine.parent / 'sibling.py'}:START").thing == 0.5, "imported by mine.py"


def test_a_package_that_is_broken_harms_no_other(mine, monkeypatch, caplog):
    def load(point):
        if point.name == "broken":
            raise ImportError("no module named torch")
        return find_recipe(f"{mine}:MINE") if point.name == "lines" else 3

    names = ("broken", "number", "lines")
    points = [EntryPoint(name, f"somewhere:{name}", own.GROUP) for name in names]
    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr(own, "entry_points", lambda group: points)
    own.from_packages.cache_clear()
    assert "lines" in known()
    assert not {"broken", "number"} & known().keys()
    assert "left out: entry point broken = somewhere:broken cannot be loaded" in caplog.text
    with pytest.raises(
        qs.BadInput, match=r"broken = .*\(ImportError: no module named torch\); mend"
    ):
        find_recipe("broken")
    with pytest.raises(qs.BadInput, match=r"entry point number = .* is no recipe"):
        find_recipe("number")
    assert find_recipe("maml-glyphs").name == "maml-glyphs"
    own.from_packages.cache_clear()


def test_from_a_package(mine, monkeypatch):
    point = EntryPoint("lines", "somewhere:MINE", own.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: find_recipe(f"{mine}:MINE"))
    monkeypatch.setattr(own, "entry_points", lambda group: [point])
    own.from_packages.cache_clear()
    assert "lines" in known()
    assert find_recipe("lines").name == "lines"
    assert find_recipe("lines").method.slope == 0.25
    monkeypatch.setattr(own, "entry_points", importlib.metadata.entry_points)
    own.from_packages.cache_clear()
    with pytest.raises(qs.BadInput, match="no recipe 'lines'"):
        find_recipe("lines")
