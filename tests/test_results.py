"""The tables of results/README.md are those of the runs that are kept beside it."""

import json
import sys
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[1] / "results"


@pytest.fixture(scope="module")
def tables():
    sys.path.insert(0, str(RESULTS))
    try:
        import tables
    finally:
        sys.path.remove(str(RESULTS))
    return tables


def test_the_readme_holds_what_the_script_prints(tables):
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert tables.MARKS.search(text)
    assert tables.renewed(text) == text, "write the tables anew: python results/tables.py"


def test_another_figure_is_seen(tables):
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| maml |"))
    assert tables.renewed(text.replace(row, row.replace("%", "", 1))) == text


def test_kept_runs_are_small_and_name_no_folder_of_their_machine():
    files = sorted((RESULTS / "runs").glob("*/*.json"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        words = json.loads(text)["environment"]["command"].split()
        assert len(text) < 10_000, file
        assert not any(word.startswith(("/", "~")) for word in words), file


def test_a_run_of_many_episodes_has_a_row_without_them(tables):
    """Kept runs leave them out, and so does what is read of a run's folder."""
    run = tables.kept.run(RESULTS / "runs" / "rl2-seeds" / "bandit-10-5-table-seed-0.json")
    assert "episodes" not in run["evaluations"]["test"]["policy"]
    (row,) = tables.rl2(run, {})
    assert "200 of 256 | 6.662 ± 0.044 |  |  |" in row
