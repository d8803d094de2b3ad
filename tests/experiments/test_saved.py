"""Runs and files are opened, and nothing that stands in them is ever run."""

import contextlib
import json

import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.checkpoint import save_arrays
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.own import OwnLearnerConfig
from quickstudy.experiments.networks import MLPConfig
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.recipe import Recipe
from quickstudy.experiments.recipes import find_recipe
from quickstudy.experiments.saved import export, load, load_recipe, opened
from quickstudy.experiments.settings import Own, settings_json
from quickstudy.testing.comparing import same_bits
from references.own_code import folder_of_classes, forget
from references.recipes import typed
from references.refusing import stopped

X = """
from dataclasses import dataclass
from pathlib import Path
import jax, quickstudy as qs
Path(__file__).with_name("ran").write_text("x.py was run")

class X(qs.Learner):
    model: qs.Headed
    def adapt(self, support, *, key=None):
        return self.model

@dataclass(frozen=True)
class Problem(type(qs.find_problem("sinusoid"))):
    bend: float = 1.0

@dataclass(frozen=True)
class Method(qs.LearnerMethod):
    def learner(self, problem, seed):
        return X(self.model(problem, seed), loss=problem.loss)

def network(inputs, *, key):
    return qs.MLP(inputs[0], (4,), key=key)

RECIPE = qs.Recipe(Problem(bend=2.0), Method(), qs.Budget(steps=2))
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with x.py, which may be imported, and from which commands are called."""
    (tmp_path / "x.py").write_text(X)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    forget(tmp_path)


SINUSOID = {
    part: settings_json(getattr(find_recipe("maml-sinusoid").prepared(), part))
    for part in ("problem", "method", "budget")
}
PLACES = {
    "the recipe of 0.1": {"recipe": "x.py:X"},
    "an entry point of 0.1": {"recipe": "evil"},
    "recipe": {"recipe": "x.py:X", **SINUSOID},
    "problem": {"recipe": "a", **SINUSOID, "problem": {"own": "x.py:Problem"}},
    "family": {
        "recipe": "a",
        "problem": {"name": "own", "trial_episodes": 2, "own": {"own": "x.py:X"}},
        "method": settings_json(find_recipe("rl2-bandit").method),
        "budget": settings_json(Budget()),
    },
    "method": {"recipe": "a", **SINUSOID, "method": {"own": "x.py:Method"}},
    "learner": {"recipe": "a", **SINUSOID, "method": {"name": "own", "own": {"own": "x.py:X"}}},
    "network": {
        "recipe": "a",
        **SINUSOID,
        "method": SINUSOID["method"] | {"network": {"name": "own", "own": {"own": "x.py:network"}}},
    },
    "network class": {
        "recipe": "a", **SINUSOID, "method": SINUSOID["method"] | {"network": {"own": "x.py:Net"}},
    },
    "budget": {"recipe": "a", **SINUSOID, "budget": {"own": "x.py:X"}},
}  # fmt: skip
COMMANDS = (
    "evaluate {run}", "evaluate {file}", "classify classes classes --with {run}", "play {run}",
    "export {run} out.safetensors", "report {run}", "train --resume {run}",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_a_file_names_is_run(place, here, capsys, monkeypatch):
    """Neither a file nor an installed package's entry point."""

    def load_point(point):
        raise AssertionError("an entry point was loaded by what a file says")

    monkeypatch.setattr("importlib.metadata.EntryPoint.load", load_point)
    recipe, learner = PLACES[place], find_recipe("maml-sinusoid").prepared().learner()
    folder_of_classes(here / "classes", classes=2, images=1)
    run = qs.Run.create(here / "run", recipe)
    save_arrays(run.learner_file, learner, recipe)
    save_arrays(here / "file.safetensors", learner, recipe)
    refused = place != "recipe"  # there it is a name, which means nothing
    said = r"--recipe PATH|0\.1 wrote this"
    for path in (run.folder, here / "file.safetensors"):
        with pytest.raises(qs.BadInput, match=said) if refused else contextlib.nullcontext():
            qs.load(path)
    for command in COMMANDS if refused else ():
        said = stopped(command.format(run="run", file="file.safetensors").split(), capsys)
        assert "--recipe" in said or "0.1 wrote this" in said, command
    assert not (here / "ran").exists(), "x.py was run"
    assert not (here / "out.safetensors").exists()


OWN = {
    "X": "train {at}:X --on sinusoid --network mlp --width 4",
    "Method": "train {at}:Method --on sinusoid --width 4",
    "Problem": "train maml --on {at}:Problem --width 4",
    "network": "train maml --on sinusoid --network {at}:network",
    "RECIPE": "train {at}:RECIPE --bend 3",
}
TINY = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --no-test"


@pytest.mark.parametrize("name", OWN)
def test_ones_own_is_opened_by_naming_its_file_wherever_it_is(name, here, monkeypatch, capsys):
    """After training, from another folder, when file and run were moved."""
    main(f"{OWN[name].format(at=here / 'x.py')} {TINY} --run {here / 'run'}".split())
    learned = qs.load(here / "run", recipe=f"{here / 'x.py'}:{name}")
    assert (here / "ran").exists()
    moved = here / "moved"
    (moved / "deep").mkdir(parents=True)
    (here / "x.py").rename(moved / "x.py")
    (here / "run").rename(moved / "run")
    forget(here)
    monkeypatch.chdir("/")
    run, file = str(moved / "run"), f"{moved / 'x.py'}:{name}"
    said = stopped(["evaluate", run], capsys)
    mine = ["Method", "Problem"] if name == "RECIPE" else [name]  # all at once
    assert f"--recipe {' '.join(f'PATH/x.py:{one}' for one in mine)}," in said
    assert not (moved / "ran").exists()
    assert same_bits(learned, load(run, recipe=file))
    if name == "RECIPE":
        assert load_recipe(run, file).problem.bend == 3
    main(["evaluate", run, "--recipe", file, "--episodes", "3", "--no-curves"])
    found = json.loads((moved / "run" / "evaluation-test-3-episodes.json").read_text())
    assert found["episodes"] == 3
    if name == "X":
        main(["export", run, str(moved / "one.safetensors"), "--recipe", file])
        main(["train", "--resume", run, "--recipe", file, "--steps", "3", "--no-test"])
        main(["report", run, "--recipe", file, "--episodes", "2"])
        assert same_bits(learned, load(moved / "one.safetensors", recipe=file))


LEARN = """
import quickstudy as qs


class Mine(qs.Learner):
    slope: float = 2.0

    def adapt(self, support, *, key=None):
        return lambda x: self.slope * x
"""
PROB = """
from dataclasses import dataclass
from quickstudy.experiments.problems.sinusoid import SinusoidCurves


@dataclass(frozen=True)
class Prob(SinusoidCurves):
    reps: int = 3
"""


@pytest.mark.parametrize("problem", ["Prob", "Mine"])
def test_a_method_and_a_problem_of_ones_own_are_opened_by_both_files(problem, here, capsys):
    """Also where both have one name."""
    (here / "learn.py").write_text(LEARN)
    (here / "prob.py").write_text(PROB.replace("Prob", problem))
    both = [f"{here / 'learn.py'}:Mine", f"{here / 'prob.py'}:{problem}"]
    run = str(here / "run")
    main(["train", both[0], "--on", both[1], "--reps", "4", *TINY.split(), "--run", run])
    for named in (both, both[::-1]):
        assert load_recipe(run, named).problem.reps == 4
    for one, missing in zip(both, (f"prob.py:{problem}", "learn.py:Mine"), strict=True):
        said = stopped(["evaluate", run, "--recipe", one], capsys)
        assert f"--recipe PATH/{missing}" in said
    main(["evaluate", run, "--recipe", *both, "--episodes", "3", "--no-curves"])
    third = "from learn import Mine\n\n\nclass Third:\n    pass\n\n\ndef third():\n    pass\n"
    (here / "third.py").write_text(third)
    for name in ("Third", "third"):
        said = stopped(["evaluate", run, "--recipe", *both, f"{here / 'third.py'}:{name}"], capsys)
        assert f"third.py:{name} is named, and this was made with" in said
    forget(here)


def test_exported_files_of_one_folder_keep_their_own_results(tmp_path):
    recipe = find_recipe("maml-sinusoid").prepared()
    for name in ("one", "other"):
        export(recipe.learner(), tmp_path / f"{name}.safetensors", recipe)
        asked = ["evaluate", str(tmp_path / f"{name}.safetensors"), "--episodes", "2"]
        main([*asked, "--no-curves"])
    found = {file.name for file in tmp_path.glob("evaluation-*.json")}
    assert found == {f"evaluation-test-2-episodes-of-{name}.json" for name in ("one", "other")}


def test_ones_own_is_opened_by_the_thing_itself(tmp_path):
    class Scaled(qs.Learner):
        model: qs.Headed

        def adapt(self, support, *, key=None):
            return self.model

    method = OwnLearnerConfig(MLPConfig(width=3), own=Own("mine.py:Scaled", Scaled))
    recipe = Recipe(SinusoidCurves(), method, name="mine")
    export(recipe.learner(), tmp_path / "a.safetensors", recipe)
    with pytest.raises(qs.BadInput, match=r"--recipe PATH/mine\.py:Scaled"):
        load(tmp_path / "a.safetensors")
    for named in (recipe, method, [method]):
        assert same_bits(load(tmp_path / "a.safetensors", named), recipe.learner())


@pytest.mark.parametrize(
    ("name", "small"),
    [("maml-sinusoid", "--width 4"), ("prototypical-glyphs", "--filters 2"),
     ("rl2-bandit", "--width 4"), ("maml-navigation", "--width 4 --adapts context")],
)  # fmt: skip
def test_export_and_load(name, small, tmp_path):
    recipe = typed(name, f"{small} --seed 3")
    export(recipe.learner(), tmp_path / "a.safetensors", recipe)
    again, learned = opened(tmp_path / "a.safetensors")
    assert again == recipe
    assert same_bits(learned, recipe.learner())
    assert not same_bits(learned, typed(name, small).learner()), "another seed"


def test_what_is_not_there(tmp_path):
    with pytest.raises(qs.CheckpointError, match="does not exist; give a run's folder"):
        load(tmp_path / "nowhere.safetensors")
    with pytest.raises(qs.CheckpointError, match="quickstudy train --resume"):
        load(qs.Run.create(tmp_path / "run", {"recipe": "maml-sinusoid"}).folder)
