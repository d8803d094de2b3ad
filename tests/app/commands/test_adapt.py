"""`quickstudy adapt`: the user's own images."""

import json
import shutil

import equinox as eqx
import jax
import numpy as np
import pytest
from PIL import Image

from quickstudy.app.cli import main
from quickstudy.app.commands.adapt import classify
from quickstudy.errors import BadInput
from references.recipes import typed, untrained
from references.refusing import stopped


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


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "glyphs"
    return untrained(folder, "prototypical-glyphs", "--filters 4")


def folders(drawings):
    return ["--support", str(drawings / "support"), "--query", str(drawings / "query")]


def test_an_answer_for_every_query_image(run, drawings, tmp_path, capsys):
    answers = tmp_path / "answers.json"
    main(["adapt", str(run), *folders(drawings), "--json", str(answers)])
    assert "bar" in capsys.readouterr().out
    found = json.loads(answers.read_text())
    assert [answer["image"].rsplit("/")[-1] for answer in found] == ["bar.png", "post.png"]
    for answer in found:
        assert set(answer["probabilities"]) == {"bar", "post"}
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=2e-4)
        assert answer["class"] == max(answer["probabilities"], key=answer["probabilities"].get)
    assert [answer["class"] for answer in found] == ["bar", "post"], "even by random features"


def test_a_name_is_never_cut(run, drawings, tmp_path, monkeypatch, capsys):
    query = tmp_path / "photographed-on-a-sunny-day-in-the-garden-behind-the-old-house.png"
    query.write_bytes((drawings / "query" / "bar.png").read_bytes())
    monkeypatch.setenv("COLUMNS", "60")
    support = str(drawings / "support")
    main(["adapt", str(run), "--support", support, "--query", str(query)])
    cells = [
        line.split("│")[1].strip() for line in capsys.readouterr().out.splitlines() if "│" in line
    ]
    assert str(query) in "".join(cells)


def test_fewer_classes_than_a_head_has_outputs(drawings):
    """As if the outputs that are left over had never been there."""
    five = typed("maml-glyphs", "--filters 4").learner()
    head = five.model.head
    drawn = jax.random.normal(jax.random.key(1), head.weight.shape)
    heads = [eqx.tree_at(lambda h: (h.weight, h.bias), head, (drawn[:, :n], head.bias[:n]))
             for n in (5, 2)]  # fmt: skip
    five, two = (eqx.tree_at(lambda own: own.model.head, five, new) for new in heads)
    images = (drawings / "support", drawings / "query")
    found = classify(five, images, (28, 28, 1), ways=5)
    for answer, expected in zip(found, classify(two, images, (28, 28, 1)), strict=True):
        assert answer["class"] == expected["class"]
        assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=2e-4)
    more = drawings / "three"
    for name in ("a", "b", "c"):
        shutil.copytree(drawings / "support" / "bar", more / name)
    with pytest.raises(BadInput, match="built for 2 outputs and the tasks have ways 3"):
        classify(two, (more, drawings / "query"), (28, 28, 1), ways=2)


@pytest.mark.parametrize("name", ["maml-sinusoid", "rl2-bandit"])
def test_images_for_a_learner_that_takes_none(name, tmp_path, capsys):
    folder = untrained(tmp_path / "run", name, "--width 4")
    said = stopped(["adapt", str(folder), "--support", "a", "--query", "b"], capsys)
    assert "no images" in said


def test_folders_must_be_given(run, capsys):
    assert "give --support FOLDER" in stopped(["adapt", str(run), "--query", "a"], capsys)
    assert "no flag --shots" in stopped(["adapt", str(run), "--shots", "3"], capsys)
