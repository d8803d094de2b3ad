"""`quickstudy classify`, with an encoder that costs nothing in the place of the pretrained one."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy import FewShotClassifier
from quickstudy.app.cli import main
from quickstudy.app.commands.classify import ClassifyOptions, answered
from quickstudy.estimators import encoding
from quickstudy.experiments.problems.yours import FolderImages
from quickstudy.tasks.folders import class_files
from references.photographs import write_colours
from references.reading_html import demand_self_contained
from references.recipes import typed, untrained
from references.refusing import stopped
from references.stand_in_encoder import GREEN, RED, Patches

COUNTS = {"red": 4, "green": 4, "blue": 4}


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(encoding, "_pretrained", lambda name: Patches())


@pytest.fixture
def photographs(tmp_path):
    write_colours(tmp_path / "classes", COUNTS)
    write_colours(tmp_path / "new", {"red": 2, "green": 1}, seed=1)
    return tmp_path


@pytest.fixture
def drawings(tmp_path):
    """Two classes of unequal sizes, dark on light, and two queries."""
    pixels = np.full((2, 40, 40), 255, np.uint8)
    pixels[0, 18:22, 5:35] = 0  # a horizontal bar
    pixels[1, 5:35, 18:22] = 0  # a vertical one
    (tmp_path / "new").mkdir()
    for name, picture, count in (("bar", pixels[0], 3), ("post", pixels[1], 1)):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for i in range(count):
            drawn = Image.fromarray(np.roll(picture, i, (0, 1)))
            drawn.save(tmp_path / "classes" / name / f"{i}.png")
        Image.fromarray(np.roll(picture, 2, (0, 1))).save(tmp_path / "new" / f"{name}.png")
    return tmp_path


def classified(folder, *flags):
    """The JSON that the command writes, and what it answered by the files' names."""
    file = folder / "answers.json"
    paths = [str(folder / name) for name in ("classes", "new")]
    main(["classify", *paths, "--json", str(file), *map(str, flags)])
    found = json.loads(file.read_text())
    return found, {one["image"].rsplit("/")[-1]: one for one in found["answers"]}


def test_labels_that_folders_tell(photographs, capsys):
    moved = photographs / "new" / "green" / "9.png"
    shutil.copy(photographs / "new" / "red" / "0.png", moved)
    found, _ = classified(photographs)
    out = capsys.readouterr().out
    assert "accuracy 75.0 %" in out
    assert "nearest centroids on pixels" in out
    assert "green taken for red: 1 of 2" in out
    assert found["score"]["accuracy"]["count"] == 3
    assert [one["right"] for one in found["answers"]] == [True, False, True, True]
    for one in found["answers"]:
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=2e-4)
        assert one["class"] == max(one["probabilities"], key=one["probabilities"].get)
        assert one["probability"] == one["probabilities"][one["class"]]


def test_without_labels_the_examples_are_held_out(photographs, capsys):
    for file in (photographs / "new").rglob("*.png"):
        file.rename(photographs / "new" / f"{file.parent.name}-{file.name}")
    found, by_name = classified(photographs)
    out = capsys.readouterr().out
    assert "left out in turn, 100.0 % are right" in out
    assert "✓" not in out
    assert found["score"] is None
    assert {name.partition("-")[0]: one["class"] for name, one in by_name.items()} == {
        "red": "red",
        "green": "green",
    }


def test_folders_that_are_no_class(photographs, capsys):
    write_colours(photographs / "new", {"grey": 2}, colours={"grey": (90, 90, 90)})
    found, _ = classified(photographs)
    assert "2 images have no known label" in capsys.readouterr().out
    assert found["score"]["accuracy"]["of"] == 3
    found, _ = classified(photographs, "--unknown")
    assert found["score"]["accuracy"]["of"] == 5
    greys = [one for one in found["answers"] if "/grey/" in one["image"]]
    assert [one["label"] for one in greys] == ["unknown"] * 2
    assert [one["class"] for one in greys] == ["unknown"] * 2
    assert [one["probability"] for one in greys] == [None] * 2


def test_names_are_neither_cut_nor_read_as_markup(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "70")
    colours = {"[red] x": RED, "[bold]": GREEN}
    write_colours(tmp_path / "classes", dict.fromkeys(colours, 2), colours=colours)
    long = "photographed-on-a-sunny-day-[in]-the-garden-behind-the-old-house.png"
    write_colours(tmp_path / "new", {"[red] x": 1}, colours=colours)
    (tmp_path / "new" / "[red] x" / "0.png").rename(tmp_path / "new" / "[red] x" / long)
    classified(tmp_path)
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert long in "".join(row[0].strip() for row in rows)
    assert "[red] x" in rows[0][1]
    assert "[red] x" in rows[0][3]


def test_what_is_wrong_is_told_before_anything_is_read(tmp_path, capsys):
    def said(*arguments):
        return stopped(["classify", *arguments], capsys)

    assert "give the paths first, 2 or more" in said("a")
    assert "one path too many" in said("a", "b", "c")
    assert "There is no folder" in said("a", "b")
    assert "--ink is not read by this run: it is for learners of drawings" in said(
        "a", "b", "--ink", "dark"
    )
    for option in ("--save", "--json", "--page"):
        assert f"{option} {tmp_path} is a folder" in said("a", "b", option, str(tmp_path))
    assert "kept by its run" in said("a", "b", "--with", "r", "--save", "c.qs")
    assert "did you mean --save?" in said("a", "b", "--sav", "c.qs")


def test_a_trained_learner_in_the_place_of_the_default(drawings):
    learner = untrained(drawings / "run", "prototypical-glyphs", "--filters 4")
    found, by_name = classified(drawings, "--with", learner)
    assert {name: one["class"] for name, one in by_name.items()} == {
        "bar.png": "bar",
        "post.png": "post",
    }
    assert found["settings"]["head"] == "Prototypical"


@pytest.mark.parametrize("asked", [None, "auto"])
def test_drawings_are_read_in_the_ink_of_the_run_unless_another_is_asked_for(drawings, asked):
    """The learner of a folder of dark ink, which was left so, sees dark ink again."""
    recipe = typed("prototypical-glyphs", "--filters 4")
    own = FolderImages(shape_of_one=(28, 28, 1), path=str(drawings / "classes"), test=("bar",))
    recipe = replace(recipe, problem=own)
    qs.export(recipe.learner(), drawings / "own.safetensors", recipe)
    options = {} if asked is None else {"ink": asked}
    options = ClassifyOptions(with_=drawings / "own.safetensors", **options)
    answers = answered(class_files(drawings / "classes"), drawings / "new", options)
    assert (answers.seen.inputs[:, 0, 0, 0] == (255 if asked is None else 0)).all()


def test_fewer_classes_than_a_learner_has_outputs(drawings, capsys):
    learner = untrained(drawings / "run", "maml-glyphs", "--filters 4")
    found, _ = classified(drawings, "--with", learner)
    assert found["classes"] == ["bar", "post"]
    for name in "abcdef":
        shutil.copytree(drawings / "classes" / "bar", drawings / "classes" / name)
    paths = [str(drawings / name) for name in ("classes", "new")]
    said = stopped(["classify", *paths, "--with", str(learner)], capsys)
    assert "5 outputs" in said
    assert "8" in said


def test_outputs_that_are_left_over_count_for_nothing():
    """As if they had never been there."""
    five = typed("maml-glyphs", "--filters 4").learner()
    head = five.model.head
    drawn = jax.random.normal(jax.random.key(1), head.weight.shape)
    heads = [eqx.tree_at(lambda h: (h.weight, h.bias), head, (drawn[:, :n], head.bias[:n]))
             for n in (5, 2)]  # fmt: skip
    five, two = (eqx.tree_at(lambda own: own.model.head, five, new) for new in heads)
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    found = [
        FewShotClassifier(learner=one, image=(28, 28, 1))
        .fit(images[:2], ["a", "b"])
        .predict_proba(images[2:])
        for one in (five, two)
    ]
    np.testing.assert_allclose(*found, atol=2e-4)


def test_relation_scores_are_shown_as_they_are(drawings, capsys):
    learner = untrained(drawings / "run", "relation-glyphs", "--filters 4")
    found, _ = classified(drawings, "--with", learner)
    assert "score" in capsys.readouterr().out
    for one in found["answers"]:
        assert "probability" not in one
        assert one["score"] == max(one["scores"].values())
        assert 0 < one["score"] < 1
    totals = [sum(one["scores"].values()) for one in found["answers"]]
    assert max(abs(total - 1) for total in totals) > 0.01, "they look like a softmax"


@pytest.mark.parametrize("name", ["maml-sinusoid", "rl2-bandit"])
def test_learners_that_take_no_images_are_refused(name, drawings, capsys):
    learner = untrained(drawings / "run", name, "--width 4")
    paths = [str(drawings / name) for name in ("classes", "new")]
    assert "takes no images" in stopped(["classify", *paths, "--with", str(learner)], capsys)


def test_a_learner_of_drawings_given_photographs_says_so(photographs, capsys):
    classified(
        photographs, "--with", untrained(photographs / "run", "prototypical-glyphs", "--filters 4")
    )
    assert "trained on grey images of 28×28 pixels" in capsys.readouterr().err


def test_the_compilation_cache_is_on(photographs, monkeypatch):
    monkeypatch.setattr(jax.config, "update", lambda *one: asked.append(one))
    asked = []
    classified(photographs)
    assert "jax_compilation_cache_dir" in [name for name, _ in asked]


def test_the_page(photographs, capsys):
    page = photographs / "page.html"
    shutil.copy(photographs / "new/red/0.png", photographs / "new/green/9.png")
    classified(photographs, "--page", page)
    assert "page.html" in capsys.readouterr().err
    text = page.read_text()
    demand_self_contained(text)
    assert text.count('<figure class="wrong"') == 1


def test_help_answers_fast():
    command = [sys.executable, "-X", "importtime", "-m", "quickstudy.app.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "quickstudy classify" in done.stdout
    assert "jax" not in done.stderr
    assert "sklearn" not in done.stderr
