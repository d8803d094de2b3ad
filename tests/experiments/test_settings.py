"""Values of settings: they survive the way to JSON and back, and what is unknown is refused."""

import json
from dataclasses import dataclass

import pytest

from quickstudy.errors import BadInput
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.method import Method
from quickstudy.experiments.methods.blackbox import SupportMemoryConfig
from quickstudy.experiments.methods.histories import GRUConfig, HistoryConfig
from quickstudy.experiments.methods.rl2 import ImprovementConfig, RL2Config, TRPOConfig
from quickstudy.experiments.networks import NetworkConfig
from quickstudy.experiments.problems.yours import FolderImages
from quickstudy.experiments.settings import (
    Settings,
    read_settings,
    read_settings_as,
    settings_json,
)

KINDS = (NetworkConfig, HistoryConfig, SupportMemoryConfig, ImprovementConfig)


@pytest.mark.parametrize(
    "value",
    [kind for base in KINDS for kind in base.choices().values() if kind.name != "own"],
    ids=lambda kind: kind.__name__,
)
def test_every_choice_comes_back(value):
    (base,) = (base for base in KINDS if issubclass(value, base))
    assert read_settings(base, json.loads(json.dumps(settings_json(value())))) == value()


def test_nested_values_come_back():
    method = RL2Config(memory=GRUConfig(8, reader=2), improvement=TRPOConfig(0.5), discount=1)
    assert read_settings_as(RL2Config, json.loads(json.dumps(settings_json(method)))) == method
    kept = FolderImages(ratios=(3, 1, 1), path="/a", shape_of_one=(2, 2, 1), train=("a", "b"))
    assert read_settings_as(FolderImages, json.loads(json.dumps(settings_json(kept)))) == kept


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (NetworkConfig, {"name": "vgg"}, "'vgg' is no NetworkConfig .* conv4, resnet12, mlp"),
        (NetworkConfig, {"name": "mlp", "depth": 3}, "mlp has no setting depth; another version"),
        (NetworkConfig, {"name": "mlp", "width": "wide"}, "width is 'wide'; give a whole number"),
        (NetworkConfig, {"name": "mlp", "width": True}, "width is True; give a whole number"),
        (NetworkConfig, {"name": "conv4", "norm": "soft"}, "norm is 'soft'; give one of layer"),
        (NetworkConfig, ["mlp"], r"are \['mlp'\]; they must be an object"),
        (Method, {"name": "blackbox", "memory": "gru"}, "they must be an object"),
        (Budget, {"steps": -1}, "steps is -1; give a finite number, of 0 or more"),
        (Budget, {"steps": 2.5}, "steps is 2.5; give a whole number"),
        (Budget, {"clip": float("nan")}, "clip is nan"),
        (NetworkConfig, {"own": "x.py:X"}, r"--recipe PATH/x\.py:X"),
        (NetworkConfig, {"name": "own", "own": {"own": "x.py:X"}}, r"--recipe PATH/x\.py:X"),
    ],
)
def test_what_cannot_be_read(kind, value, said):
    with pytest.raises(BadInput, match=said):
        read_settings(kind, value)


@dataclass(frozen=True)
class Loose(Settings):
    """Numbers that a user's file annotates, which no type checker has read."""

    steps: int = 3
    named: "int" = 3
    width: float = 3
    limit: float | None = 1.0
    most: int | None = 1


def test_whole_numbers_are_asked_for_where_a_field_is_an_int():
    assert Loose(width=2.5).width == 2.5
    for name in ("steps", "named"):
        with pytest.raises(BadInput, match=rf"{name} is 2\.5; give a whole number"):
            Loose(**{name: 2.5})
    with pytest.raises(BadInput, match="width is 'wide'; give a number"):
        Loose(width="wide")
    with pytest.raises(BadInput, match=r"steps is 2\.5; give a whole number"):
        read_settings(Loose, {"steps": 2.5})
    with pytest.raises(BadInput, match=r"most is 2\.5; give a whole number"):
        Loose(most=2.5)


def test_a_setting_may_be_none_where_its_annotation_says_so():
    assert (Loose(limit=None).limit, Loose(most=None).most) == (None, None)
    assert read_settings(Loose, {"limit": None}) == Loose(limit=None)
    with pytest.raises(BadInput, match="steps is None; give a whole number"):
        Loose(steps=None)
