"""The command line, as a user types it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from quickstudy.recipes import RECIPES

from quickstudy.app.cli import main
from references.refusing import demand_refused, stopped

TINY = ["--steps", "4", "--meta-batch", "2", "--validate-every", "2", "--validation-episodes", "4"]
TINY_GLYPHS = [*TINY, "--filters", "4", "--train-ways", "5", "--no-test"]


@pytest.fixture(scope="module")
def glyphs_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "glyphs"
    main(["train", "prototypical-glyphs", *TINY_GLYPHS, "--run", str(folder)])
    return folder


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """Two classes of unequal sizes, dark on light, and two queries."""
    root = tmp_path_factory.mktemp("drawings")
    pixels = np.full((2, 40, 40), 255, np.uint8)
    pixels[0, 18:22, 5:35] = 0  # a horizontal bar
    pixels[1, 5:35, 18:22] = 0  # a vertical one
    for name, picture, count in (("bar", pixels[0], 3), ("post", pixels[1], 1)):
        (root / "support" / name).mkdir(parents=True)
        (root / "query").mkdir(exist_ok=True)
        for i in range(count):
            Image.fromarray(np.roll(picture, i, (0, 1))).save(root / "support" / name / f"{i}.png")
        Image.fromarray(np.roll(picture, 2, (0, 1))).save(root / "query" / f"{name}.png")
    return root


def test_help_does_not_import_jax():
    code = (
        "import sys; from quickstudy.app.cli import main; main(['--help']); main(['recipes']);"
        "assert 'jax' not in sys.modules, 'JAX was imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "quickstudy train" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["recipes"], ["train", "maml-glyphs", "--help"]]
)
def test_who_reads_only_the_first_line_sees_no_traceback(arguments):
    command = [sys.executable, "-m", "quickstudy.app.cli", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_recipes_lists_every_recipe_with_its_figure(capsys):
    main(["recipes"])
    out = capsys.readouterr().out
    lines = out.splitlines()
    for name, recipe in RECIPES.items():
        assert name in lines or f"{name} (default)" in lines
        for said in (recipe.reaches, recipe.takes, recipe.source):
            assert any(line.endswith(said) for line in lines), "cut short"


def test_recipes_with_a_word_in_their_names(capsys):
    main(["recipes", "sinusoid"])
    out = capsys.readouterr().out
    assert "maml-sinusoid" in out
    assert "maml-omniglot" not in out
    assert "no recipe has 'omnigolt'" in stopped(["recipes", "omnigolt"], capsys)


def test_train_leaves_a_complete_folder(glyphs_run):
    assert json.loads((glyphs_run / "recipe.json").read_text())["recipe"] == "prototypical-glyphs"
    environment = json.loads((glyphs_run / "environment.json").read_text())
    assert environment["packages"]["jax"]
    assert environment["machine"]["cores"]
    lines = (glyphs_run / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(steps)
    assert steps[-1] == 4
    assert (glyphs_run / "learner.safetensors").exists()


def test_evaluate_writes_table_json_and_pictures(glyphs_run, capsys):
    main(["evaluate", str(glyphs_run), "--episodes", "6", "--no-curves", "--ways", "3"])
    out = capsys.readouterr().out
    assert "3-way 1-shot" in out
    assert "inductive" in out
    result = json.loads((glyphs_run / "evaluation-test-3-way-6-episodes.json").read_text())
    assert result["episodes"] == 6
    assert result["data"] == "glyphs, 3-way 1-shot"
    assert 0 <= result["after"]["mean"] <= 1
    for picture in ("evaluation-test-3-way-6-episodes.png", "episode-test-3-way-6-episodes.png"):
        with Image.open(glyphs_run / picture) as image:
            assert image.size[0] > 200


def test_evaluate_on_the_data_of_another_recipe(glyphs_run, capsys):
    arguments = ["evaluate", str(glyphs_run), "--episodes", "4", "--no-curves", "--on"]
    main([*arguments, "maml-glyphs"])
    assert "glyphs, 5-way 1-shot, test tasks" in " ".join(capsys.readouterr().out.split())
    found = (glyphs_run / "evaluation-test-4-episodes-on-maml-glyphs.json").read_text()
    assert json.loads(found)["data"] == "glyphs, 5-way 1-shot"
    with pytest.raises(SystemExit):
        main([*arguments, "maml-glyph"])
    assert "did you mean maml-glyphs" in capsys.readouterr().err


def test_training_tasks_of_different_sizes(tmp_path, capsys):
    folder = tmp_path / "varying"
    sizes = ["--shots", "3", "--fewest-ways", "3", "--fewest-shots", "1"]
    main(["train", "prototypical-glyphs", *TINY_GLYPHS, *sizes, "--run", str(folder)])
    main(["evaluate", str(folder), "--episodes", "4", "--split", "train", "--no-curves"])
    assert "3- to 5-way 1- to 3-shot, train tasks" in " ".join(capsys.readouterr().out.split())
    main(["report", str(folder), "--episodes", "4"])
    text = (folder / "report.html").read_text()
    assert "3- to 5-way 1- to 3-shot, validation 5-way 3-shot" in text


def test_export_is_the_same_learner(glyphs_run, tmp_path):
    import jax

    import quickstudy as qs

    main(["export", str(glyphs_run), str(tmp_path / "learner.safetensors")])
    leaves = [jax.tree.leaves(qs.load(p)) for p in (glyphs_run, tmp_path / "learner.safetensors")]
    for a, b in zip(*leaves, strict=True):
        np.testing.assert_array_equal(a, b)


def test_resume_of_a_finished_run_changes_nothing(glyphs_run):
    before = (glyphs_run / "learner.safetensors").read_bytes()
    main(["train", "--resume", str(glyphs_run), "--no-test"])
    assert (glyphs_run / "learner.safetensors").read_bytes() == before


def test_resume_with_another_setting_is_refused(glyphs_run, capsys):
    said = stopped(["train", "--resume", str(glyphs_run), "--filters", "8"], capsys)
    assert "--filters" in said


def test_resume_for_longer(glyphs_run, tmp_path, capsys):
    longer = tmp_path / "longer"
    shutil.copytree(glyphs_run, longer)
    steps = json.loads((glyphs_run / "recipe.json").read_text())["steps"]
    said = stopped(["train", "--resume", str(longer), "--steps", str(steps - 1)], capsys)
    assert f"less than the {steps}" in said
    main(["train", "--resume", str(longer), "--steps", str(steps + 2), "--no-test"])
    lines = [json.loads(line) for line in (longer / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == steps + 2
    assert json.loads((longer / "recipe.json").read_text())["steps"] == steps + 2
    (then,) = json.loads((longer / "environment.json").read_text())["lengthened"]
    assert (then["step"], then["steps"]) == (steps, steps + 2)
    main(["train", "--resume", str(longer), "--no-test"])


def test_resume_with_another_recipe_is_refused(glyphs_run, capsys):
    said = stopped(["train", "maml-glyphs", "--resume", str(glyphs_run)], capsys)
    assert "prototypical-glyphs" in said


def test_existing_run_folder_is_refused(glyphs_run, capsys):
    said = stopped(["train", *TINY_GLYPHS, "--run", str(glyphs_run)], capsys)
    assert "--resume" in said


@pytest.mark.parametrize(
    ("recipe", "flag", "value", "said"),
    [
        ("maml-sinusoid", "--steps", "0", "steps is 0"),
        ("maml-sinusoid", "--inner-steps", "-1", "inner_steps is -1"),
        ("maml-sinusoid", "--inner-lr", "nan", "inner_lr is nan"),
        ("maml-sinusoid", "--clip", "0", "clip is 0.0"),
        ("prototypical-glyphs", "--train-ways", "0", "ways is 0"),
        ("prototypical-glyphs", "--filters", "0", "filters is 0"),
    ],
)
def test_numbers_that_cannot_be(recipe, flag, value, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    demand_refused(["train", recipe, *TINY, flag, value], said, tmp_path, capsys)


@pytest.mark.parametrize("flag", ["--episodes", "--ways", "--shots", "--queries"])
def test_no_tasks_to_evaluate(glyphs_run, flag, capsys):
    before = sorted(glyphs_run.iterdir())
    assert f"{flag} is 0" in stopped(["evaluate", str(glyphs_run), flag, "0"], capsys)
    assert sorted(glyphs_run.iterdir()) == before


def test_data_that_the_learner_does_not_take(glyphs_run, capsys):
    said = stopped(["evaluate", str(glyphs_run), "--on", "maml-sinusoid"], capsys)
    assert "28×28×1" in said


def test_tensorboard_that_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    run = tmp_path / "run"
    said = stopped(["train", "maml-sinusoid", *TINY, "--tensorboard", "--run", str(run)], capsys)
    assert "pip install" in said
    assert not run.exists()


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    run = tmp_path / "run"
    main(["train", "maml-sinusoid", *TINY, "--tensorboard", "--no-test", "--run", str(run)])
    assert any((run / "tensorboard").iterdir())


def test_unknown_names_suggest_the_nearest(capsys):
    assert "maml-omniglot" in stopped(["train", "maml-omnigolt"], capsys)
    assert "evaluate" in stopped(["evalute"], capsys)
    assert "mine.py:NAME" in stopped(["train", "mine.py"], capsys)


def test_a_folder_that_is_no_run_is_named(tmp_path, capsys):
    assert str(tmp_path) in stopped(["evaluate", str(tmp_path)], capsys)


def test_ways_that_the_learner_cannot_take(tmp_path, capsys):
    folder = tmp_path / "maml"
    main(["train", "maml-glyphs", *TINY, "--filters", "4", "--no-test", "--run", str(folder)])
    said = stopped(["evaluate", str(folder), "--ways", "7"], capsys)
    assert "5" in said
    assert "7" in said
