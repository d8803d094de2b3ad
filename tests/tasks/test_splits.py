"""The division of classes into train, validation and test."""

import pytest

from quickstudy.errors import BadInput, DataError
from quickstudy.tasks.splits import class_splits, split_names

NAMES = tuple("abcdefghij")


def test_division_by_ratio_is_seeded_and_ignores_the_order_of_names():
    parts = class_splits(NAMES, ratios=(0.6, 0.2, 0.2), seed=1)
    assert parts == class_splits(NAMES[::-1], ratios=(0.6, 0.2, 0.2), seed=1)
    assert parts != class_splits(NAMES, ratios=(0.6, 0.2, 0.2), seed=2)
    assert [len(p) for p in parts.values()] == [6, 2, 2]
    assert sorted(n for part in parts.values() for n in part) == list(NAMES)
    assert [len(p) for p in class_splits(NAMES, ratios=(4, 3, 2)).values()] == [4, 3, 2]
    with pytest.raises(BadInput, match=r"an empty part, validation: .*quickstudy classify"):
        class_splits(NAMES[:3])
    with pytest.raises(BadInput, match="give three"):
        class_splits(NAMES, ratios=(0.8, 0.2))
    with pytest.raises(BadInput, match="give three of at least 0"):
        class_splits(NAMES, ratios=(0.8, float("nan"), 0.2))
    with pytest.raises(BadInput, match=r"need 11 classes; there are 10\. Ask for fewer"):
        class_splits(NAMES, ratios=(9, 1, 1))


def test_too_few_classes_say_how_many_are_needed():
    """And the command that needs none; the number that is named is the least that does."""
    twelve = [f"c{i}" for i in range(12)]
    with pytest.raises(BadInput, match=r"train has 3|validation has 1") as caught:
        class_splits(twelve, ways=5)
    said = str(caught.value)
    assert "train ≥ 5, validation ≥ 5, test ≥ 5" in said
    assert "quickstudy classify FOLDER NEW/" in said
    assert "at least 32 in all" in said
    class_splits([f"c{i}" for i in range(32)], ways=5)
    with pytest.raises(BadInput, match="5-way"):
        class_splits([f"c{i}" for i in range(31)], ways=5)
    with pytest.raises(BadInput, match=r"at least 15 in all, by ratios=\(5, 5, 5\)"):
        class_splits(twelve, ratios=(8, 2, 2), ways=5)
    with pytest.raises(BadInput, match=r"leave an empty part.*at least 7 in all.*classify"):
        class_splits(twelve[:3])
    with pytest.raises(BadInput, match="at least more"):
        class_splits(twelve, ratios=(0.9, 0.9, 0.05), ways=5)
    assert len(class_splits(twelve, ratios=(0.5, 0.0, 0.5), ways=5)["test"]) == 6
    with pytest.raises(BadInput, match=r"the split test has 1.*quickstudy classify"):
        split_names({"test": ["a"]}, "test", ways=2)


def test_names_are_compared_in_one_form_of_unicode(tmp_path):
    """The split file is composed, the folder's name is not: it stays as it is."""
    folder, file = "cafe\u0301", "caf\u00e9"
    (tmp_path / "a.csv").write_text(f"class,split\n{file},train\n", encoding="utf-8")
    assert class_splits([folder, "b"], split_file=tmp_path / "a.csv") == {"train": (folder,)}
    with pytest.raises(BadInput, match="two classes have one name"):
        class_splits([folder, file])


def test_a_split_file_has_enough_classes(tmp_path):
    (tmp_path / "a.csv").write_text("class,split\na,train\nb,train\nc,test\n")
    with pytest.raises(BadInput, match=r"2-way.*the split test has 1\. Name more in .*a\.csv"):
        class_splits(NAMES, split_file=tmp_path / "a.csv", ways=2)
    with pytest.raises(DataError, match=r"1 classes that are not there, such as 'b'"):
        class_splits(["a", "c"], split_file=tmp_path / "a.csv")


def test_splits_are_joined_and_unknown_ones_refused():
    splits = {"train": ("b", "a"), "validation": ("c",), "test": ("d",)}
    assert split_names(splits, "train+val") == ("b", "a", "c")
    for wrong in ("all", "train+train", "", "train,test"):
        with pytest.raises(BadInput, match="There is no split"):
            split_names(splits, wrong)
    with pytest.raises(BadInput, match="'test' has no classes"):
        split_names({"train": ("a",)}, "test")
