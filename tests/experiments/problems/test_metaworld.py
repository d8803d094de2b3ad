"""Meta-World as a problem: which tasks are whose, and how a score names its benchmark."""

import importlib.metadata

import pytest

from quickstudy.envs import metaworld
from quickstudy.experiments.problems import metaworld as module
from quickstudy.experiments.problems.metaworld import MetaWorldFamily


@pytest.mark.parametrize(
    ("split", "own"), [("train", "train"), ("validation", "train"), ("test", "test")]
)
def test_validation_meets_the_tasks_of_training(split, own, monkeypatch):
    """The benchmark has none for it."""
    monkeypatch.setattr(metaworld, "ml1", lambda thing, part: ("ml1", thing, part))
    monkeypatch.setattr(metaworld, "ml10", lambda part: ("ml10", part))
    assert MetaWorldFamily(thing="push-v3").family(split) == ("ml1", "push-v3", own)
    assert MetaWorldFamily(benchmark="ml10").family(split) == ("ml10", own)


def test_a_score_names_benchmark_version_and_engine(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"3.1 of {name}")
    monkeypatch.setattr(module, "engine", lambda: "MuJoCo 3")
    what = "Meta-World 3.1 of metaworld, "
    one, ten = MetaWorldFamily(), MetaWorldFamily(benchmark="ml10")
    assert one.definition() == {"environment": f"{what}ML1 reach-v3", "engine": "MuJoCo 3"}
    assert ten.definition() == {"environment": f"{what}ML10", "engine": "MuJoCo 3"}
