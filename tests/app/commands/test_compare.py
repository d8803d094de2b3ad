"""`quickstudy compare`: the same tasks or a refusal that says how to have them; no JAX."""

import json
import subprocess
import sys

import pytest

from quickstudy.app.cli import main
from quickstudy.evaluation.estimates import Estimate
from quickstudy.experiments.metrics import written_difference
from references.recipes import untrained
from references.refusing import stopped


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that were tested on the same tasks, and one that was not."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed, asked in (("a", 0, "4"), ("b", 1, "4"), ("c", 2, "3")):
        untrained(folder / name, "maml-sinusoid", f"--width 4 --seed {seed}")
        main(f"evaluate {folder / name} --episodes {asked} --no-curves".split())
    return folder


def test_a_table_and_json(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    file = tmp_path / "compared.json"
    capsys.readouterr()
    main(["compare", str(runs / "a"), str(runs / "b"), "--json", str(file)])
    out = " ".join(capsys.readouterr().out.split())
    found = json.loads(file.read_text())
    a, b = (
        json.loads((runs / n / "evaluation-test-4-episodes.json").read_text()) for n in ("a", "b")
    )
    mine, other = found["runs"]
    # Scores are written with the digits of single precision.
    assert mine["mean"] == pytest.approx(a["after"]["mean"], rel=1e-7)
    difference = other["difference"]["mean"]
    assert difference == pytest.approx(b["after"]["mean"] - a["after"]["mean"], abs=1e-6)
    assert (other["better"], other["equal"], other["worse"]) == tuple(
        sum(1 for x, y in zip(a["scores"], b["scores"], strict=True) if sign(x - y) == which)
        for which in (1, 0, -1)
    )
    assert written_difference(Estimate(**other["difference"]), "squared_error") in out
    assert "the same 4 test tasks of sinusoid, 5 support points for all; less is better" in out
    assert "(test-4-episodes)" in out
    assert f"wrote {file}" in out


def sign(x):
    return 0 if abs(x) < 1e-6 else int(x > 0) - int(x < 0)


def test_other_tasks_are_refused_with_the_command_that_helps(runs, capsys):
    said = stopped(["compare", str(runs / "a"), str(runs / "c")], capsys)
    assert "episodes 3 instead of 4" in said
    command = said[said.index("quickstudy evaluate") :].split()[1:]
    assert command == ["evaluate", str(runs / "c"), "--episodes", "4"]
    main([*command, "--no-curves"])
    main(["compare", str(runs / "a"), str(runs / "c")])


def test_a_run_that_was_not_tested(runs, tmp_path, capsys):
    said = stopped(["compare", str(runs / "a"), str(tmp_path)], capsys)
    assert f"{tmp_path} was not tested yet; run: quickstudy evaluate {tmp_path}" in said
    said = stopped(["compare", str(runs / "a"), str(tmp_path / "b.json")], capsys)
    assert f"there is no {tmp_path / 'b.json'}" in said
    assert "2 or more" in stopped(["compare", str(runs / "a")], capsys)


def test_what_is_no_result_is_not_to_be_deleted(runs, capsys):
    exported, listed = runs / "a.safetensors", runs / "listed.json"
    main(["export", str(runs / "a"), str(exported)])
    listed.write_text("[1, 2]")
    metrics = runs / "a" / "metrics.jsonl"
    metrics.write_text("{}\n{}\n")
    for file in (runs / "a" / "recipe.json", exported, listed, metrics):
        for paths in ([file, runs / "b"], [runs / "b", file]):
            said = stopped(["compare", *map(str, paths)], capsys)
            assert f"{file} holds no result of an evaluation; give a run's folder" in said
            assert "delete" not in said
    damaged = runs / "evaluation-test.json"
    damaged.write_text("[")
    said = stopped(["compare", str(damaged), str(runs / "b")], capsys)
    assert f"{damaged} cannot be read" in said
    assert "delete it" in said


def test_jax_is_not_imported(runs, tmp_path):
    given = ["compare", str(runs / "a"), str(runs / "b"), "--json", str(tmp_path / "c.json")]
    code = (
        f"import sys; from quickstudy.app.cli import main; main({given!r});"
        "assert 'jax' not in sys.modules, 'JAX was imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "sinusoid, 5 support points" in " ".join(done.stdout.split())


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["compare", "--help"])
    assert stop.value.code == 0
    assert "--json" in capsys.readouterr().out
