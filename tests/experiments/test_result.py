"""A result names the data that it was measured on, whatever wrote the file."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from quickstudy.experiments.result import UNNAMED, about, terminal_table
from quickstudy.experiments.sections import Grid


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


def test_names_fold_and_figures_stay_whole_in_a_narrow_terminal():
    name, figure = "a run of a very long name", "-9.52 ± 1.41"
    grid = Grid([(name, figure, figure, figure)], ("return", *["after the last update"] * 3))
    said = io.StringIO()
    Console(file=said, width=60).print(terminal_table(grid, title=Text("[b]")))
    lines = said.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert sum(line.count(figure) for line in lines) == 3
    assert name not in said.getvalue()
    assert "[b]" in said.getvalue()
