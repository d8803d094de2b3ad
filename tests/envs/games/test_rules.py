"""Which rules go together, and which combinations are for what."""

import itertools

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.envs.games.rules import COMBINATIONS, SHAPE, SPLITS, combinations, rule_names


def test_combinations_are_split_and_every_pair_of_rules_is_met_in_training():
    parts = [set(combinations(split).tolist()) for split in SPLITS]
    assert set().union(*parts) == set(range(COMBINATIONS))
    assert sum(map(len, parts)) == COMBINATIONS
    met = np.stack(np.unravel_index(combinations("train"), SHAPE), -1)
    for one, other in itertools.combinations(range(len(SHAPE)), 2):
        assert len(np.unique(met[:, [one, other]], axis=0)) == SHAPE[one] * SHAPE[other]
    tested = np.stack(np.unravel_index(combinations("test"), SHAPE), -1)
    assert [len(np.unique(column)) for column in tested.T] == list(SHAPE)


def test_there_are_no_more_combinations():
    with pytest.raises(BadInput, match="combination is 576"):
        rule_names(576)
