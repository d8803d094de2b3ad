import json

import pytest

from quickstudy.app.cli import main
from quickstudy.estimators import encoding
from references.photographs import write_colours
from references.refusing import stopped
from references.stand_in_encoder import Patches


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(encoding, "_pretrained", lambda name: Patches())


@pytest.fixture
def saved(tmp_path):
    write_colours(tmp_path / "classes", {"red": 3, "blue": 3})
    write_colours(tmp_path / "new", {"red": 1, "blue": 1}, seed=1)
    paths = [str(tmp_path / name) for name in ("classes", "new")]
    main(["classify", *paths, "--save", str(tmp_path / "colours.qs"), "--json",
          str(tmp_path / "then.json")])  # fmt: skip
    return tmp_path


def test_answers_as_when_it_was_saved(saved, capsys):
    main(["predict", str(saved / "colours.qs"), str(saved / "new"), "--json",
          str(saved / "now.json")])  # fmt: skip
    assert "left out in turn" in capsys.readouterr().out
    then, now = (json.loads((saved / f"{name}.json").read_text()) for name in ("then", "now"))
    for before, after in zip(then["answers"], now["answers"], strict=True):
        assert {name: before[name] for name in after} == after
    assert now["score"] is None


def test_several_photographs(saved):
    names = ["blue/0.png", "red/0.png"]
    main(["predict", str(saved / "colours.qs"), *(str(saved / "new" / name) for name in names),
          "--json", str(saved / "now.json")])  # fmt: skip
    now = json.loads((saved / "now.json").read_text())
    assert [one["class"] for one in now["answers"]] == ["blue", "red"]


def test_what_cannot_work(saved, capsys, monkeypatch):
    file, image = str(saved / "colours.qs"), str(saved / "new" / "red" / "0.png")
    assert "2 or more" in stopped(["predict", file], capsys)
    assert "cannot be read" in stopped(["predict", image, image], capsys)
    assert "no file or folder missing.png" in stopped(["predict", file, "missing.png"], capsys)
    monkeypatch.setattr(encoding, "_pretrained", lambda name: Patches("another"))
    assert "was fitted on features of patches" in stopped(["predict", file, image], capsys)
