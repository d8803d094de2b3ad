"""A recipe and a learner of one's own, from a file or a package, through the command line."""

import importlib.metadata
import json
from importlib.metadata import EntryPoint

import pytest
from quickstudy.recipes import find, from_json, known, own

import quickstudy as qs
from quickstudy.app.cli import main

FILE = '''
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.recipes import FewShot


class Scaled(qs.Learner):
    """A line through the support set's mean, with a learned slope."""

    slope: jax.Array

    def adapt(self, support, *, key=None):
        middle = jnp.mean(support.y, 0, keepdims=True)
        return lambda x: middle + self.slope * x


@dataclass(frozen=True)
class Lines(FewShot):
    """Lines for sinusoids."""

    name: ClassVar[str] = "lines"
    reaches: ClassVar[str] = "little"
    takes: ClassVar[str] = "no time"
    source: ClassVar[str] = "https://example.org"

    steps: int = 4
    start: float = 0.5
    """The first slope."""

    def learner(self):
        return Scaled(jnp.array(self.start), loss=qs.squared_error)

    def tasks(self, split, shape=None, source=None):
        return qs.Sinusoid()


not_a_recipe = 3
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_train_and_evaluate(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--validation-episodes", "2", "--run", "run"]
    main(["train", "mine.py:Lines", "--start", "0.25", *small])
    assert "squared error" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["start"] == 0.25
    monkeypatch.chdir("/")
    main(["evaluate", str(tmp_path / "run"), "--episodes", "4", "--no-curves"])


def test_a_name_that_comes_back(file):
    recipe = find(f"{file}:Lines")(start=2.0)
    assert recipe.name == f"{file}:Lines"
    assert from_json(recipe.to_json()) == recipe
    assert find(f"{file}:Lines") is type(recipe)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.py:Lines", "no file .*nowhere.py"),
        ("{}:Circles", "has no 'Circles'; its recipes are: Lines"),
        ("{}:not_a_recipe", "3 is no recipe; give a frozen dataclass"),
    ],
)
def test_what_is_not_there(file, name, message):
    with pytest.raises(qs.BadInput, match=message):
        find(name.format(file))


def test_a_package_that_is_broken_harms_no_other(file, monkeypatch, caplog):
    def load(point):
        if point.name == "broken":
            raise ImportError("no module named torch")
        return find(f"{file}:Lines") if point.name == "lines" else 3

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
        find("broken")
    with pytest.raises(qs.BadInput, match=r"entry point number = .* is no recipe"):
        find("number")
    assert find("maml-glyphs").name == "maml-glyphs"
    own.from_packages.cache_clear()


def test_from_a_package(file, monkeypatch):
    point = EntryPoint("lines", "somewhere:Lines", own.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: find(f"{file}:Lines"))
    monkeypatch.setattr(own, "entry_points", lambda group: [point])
    own.from_packages.cache_clear()
    assert "lines" in known()
    assert find("lines").reaches == "little"
    monkeypatch.setattr(own, "entry_points", importlib.metadata.entry_points)
    own.from_packages.cache_clear()
    with pytest.raises(qs.BadInput, match="no recipe 'lines'"):
        find("lines")
