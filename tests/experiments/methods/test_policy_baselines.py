"""Baselines as settings: each builds what it names."""

import quickstudy as qs
from quickstudy.experiments.methods.policy_baselines import (
    BaselineConfig,
    LinearBaselineConfig,
    NetworkBaselineConfig,
)


def test_baselines_are_those_named():
    assert list(BaselineConfig.choices()) == ["linear", "network"]
    assert isinstance(LinearBaselineConfig().build(), qs.LinearBaseline)
    assert isinstance(NetworkBaselineConfig().build(), qs.ValueNetwork)
