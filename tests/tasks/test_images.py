"""Host-side image classes, and the splits of classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickstudy.errors import BadInput
from quickstudy.tasks.images import ImageClasses, split_classes


@given(st.integers(10, 300), st.integers(0, 2**32 - 1))
def test_parts_are_disjoint_and_shares_cover_everything(n, seed):
    parts = split_classes(n, {"train": 0.6, "validation": 0.1, "test": 0.3}, seed=seed)
    together = np.concatenate(list(parts.values()))
    assert sorted(together.tolist()) == list(range(n))


def test_numbers_are_kept_and_the_seed_decides():
    parts = split_classes(20, {"train": 10, "test": 5}, seed=3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 10, "test": 5}
    assert not set(parts["train"]) & set(parts["test"])
    again = split_classes(20, {"train": 10, "test": 5}, seed=3)
    assert parts["train"].tolist() == again["train"].tolist()
    other = split_classes(20, {"train": 10, "test": 5}, seed=4)
    assert parts["train"].tolist() != other["train"].tolist()


@pytest.mark.parametrize("sizes", [{"train": 9, "test": 2}, {"train": 1.0, "test": 0.05}, {}])
def test_splits_that_cannot_be_are_refused(sizes):
    with pytest.raises(BadInput):
        split_classes(10, sizes)


def test_select_keeps_names_counts_and_groups_together():
    data = ImageClasses(
        np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1),
        ("a", "b", "c"),
        np.array([1, 2, 3]),
        np.array([0, 0, 1]),
    ).select([2, 0])
    assert data.images.ravel().tolist() == [2, 0]
    assert data.names == ("c", "a")
    assert data.counts.tolist() == [3, 1]
    assert data.groups.tolist() == [1, 0]


def test_unlike_shapes_and_numbers_are_refused():
    with pytest.raises(BadInput, match="one shape"):
        ImageClasses.of({"a": np.zeros((1, 4, 4)), "b": np.zeros((1, 5, 4))})
    with pytest.raises(BadInput, match="equally many"):
        ImageClasses(np.zeros((2, 1, 4, 4), np.uint8), ("a",), np.array([1, 1]))
    with pytest.raises(BadInput, match="no class"):
        ImageClasses.of({})
