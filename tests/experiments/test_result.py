"""A result names the data that it was measured on, whatever wrote the file."""

import pytest

from quickstudy.experiments.result import UNNAMED, about


@pytest.mark.parametrize(
    ("options", "missing", "data"),
    [
        ({}, {}, UNNAMED),
        ({}, {"data": "glyphs"}, "glyphs"),
        ({"ways": 20, "shots": None}, {"data": "glyphs, 5-way"}, "glyphs, 5-way; --ways 20"),
        ({"on": "maml-x", "shots": 5}, {"data": "glyphs"}, "data of maml-x; --shots 5"),
    ],
)  # fmt: skip
def test_files_of_version_0_1_name_no_data(options, missing, data):
    found = about({"options": {"split": "train", **options}}, missing)
    assert (found["data"], found["split"]) == (data, "train")


def test_what_the_file_says_counts():
    value = {"recipe": "maml", "data": "glyphs", "split": "test", "options": {"ways": 20}}
    found = about(value, {"data": "omniglot", "recipe": "x", "split": "train"})
    assert found == {**value, "tasks": {}}
