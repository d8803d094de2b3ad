"""The page of a run: self-contained and escaped."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from quickstudy.app.report.page import data_uri, page
from quickstudy.evaluation.measured import Returns
from quickstudy.experiments.run_report import RunReport
from quickstudy.experiments.sections import (
    Answer,
    Axis,
    Chart,
    ConfusedPair,
    Confusions,
    Grid,
    Line,
    Linked,
    Note,
    Picture,
    PictureFile,
    Section,
    TaskImages,
)
from references.reading_html import demand_self_contained
from references.results import NASTY, a_learner_result, a_policy_result, an_evaluation

PICTURE = Picture(np.zeros((4, 4, 1)), NASTY)
COLOURED = Picture(np.zeros((4, 4, 3)), NASTY)
LEARNER = a_learner_result(an_evaluation(metric=NASTY), recipe=NASTY, data=NASTY, split=NASTY)
POLICY = a_policy_result(
    recipe=NASTY, data=NASTY, split=NASTY, definition={NASTY: NASTY},
    beside={NASTY: Returns.of(np.full((3, 2), 9.0))},
)  # fmt: skip


def a_page(*blocks):
    return page("a page", [Section("head", []), Section("section", blocks)])


@pytest.mark.parametrize("result", [LEARNER, POLICY])
def test_everything_is_escaped(result):
    report = RunReport(
        run=NASTY,
        recipe=NASTY,
        about={NASTY: f"{NASTY} https://a.org/{NASTY}"},
        settings=[(NASTY, NASTY, None), ("steps", 20, 10)],
        environment={NASTY: {NASTY: [NASTY]}, "commit": NASTY, "machine": {"processor": NASTY}},
        metrics=[{"step": 5, "loss": 1.0, NASTY: 1.0, f"validation_{NASTY}": 2.0, "seconds": 1.0}],
        trained_on=NASTY,
        result=result,
        others={NASTY: result},
        pictures=[Section(NASTY, [Note(NASTY, NASTY)])],
    )
    text = page(NASTY, report.sections())
    demand_self_contained(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 15
    assert "&amp;lt;" not in text, "escaped twice"


def test_pictures_are_escaped():
    answers = [Answer(PICTURE, 0, 0), Answer(COLOURED, 0, 2)]
    pairs = Confusions([ConfusedPair(1, 2, 3, 0, 9, (PICTURE, COLOURED))], 3, 50)
    text = a_page(TaskImages([([PICTURE], answers)], 0.5), pairs)
    demand_self_contained(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 7
    for part in ("✗ 3", "<b>3 of 9</b>", "3 left → right", "taken for class 3"):
        assert part in text
    assert "right → left" not in text
    assert text.count('class="drawing"') == 3


def test_a_page_is_for_light_and_dark_and_for_narrow_screens():
    text = a_page()
    for part in ("prefers-color-scheme: dark", "width=device-width", "color-scheme: light dark",
                 "max-width: 30rem", "default-src 'none'", "img-src data:"):  # fmt: skip
        assert part in text
    assert "<h2>" not in text, "a section without anything in it"


def test_web_addresses_are_links():
    text = a_page(
        Grid([("source", Linked("<Finn>, https://a.org/1.")), ("other", "https://b.org")])
    )
    assert '&lt;Finn&gt;, <a href="https://a.org/1"' in text
    assert "b.org</td>" in text
    demand_self_contained(text)


def test_charts_stand_side_by_side_with_their_keys():
    chart = Chart("Loss", Axis("x"), Axis("y"), [Line("truth", [0, 1], [0, 1], style="dashed")])
    text = a_page(chart, chart, Note("between"), chart)
    assert text.count('class="charts"') == 2
    assert text.count("<svg") == 3
    assert text.count('<span class="key dashed c0">truth</span>') == 3
    demand_self_contained(text)


def test_the_same_run_has_the_same_page():
    blocks = a_policy_result().sections()[0].blocks
    assert a_page(*blocks) == a_page(*blocks)


def test_pictures_hold_themselves(tmp_path):
    def pixels(image):
        data = base64.b64decode(data_uri(image).partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)))

    ink = np.array([[0.0, 1.0], [0.5, 0.0]])[..., None]
    assert pixels(Picture(ink, "")).tolist() == [[255, 0], [127, 255]]
    colour = np.array([[[1.0, 0.0, 0.2]]])
    assert pixels(Picture(colour, "")).tolist() == [[[255, 0, 51]]]
    file = PictureFile(tmp_path / "a.gif", "what it does")
    file.path.write_bytes(b"as it is")
    assert data_uri(file) == f"data:image/gif;base64,{base64.b64encode(b'as it is').decode()}"
    assert data_uri(file) in a_page(file)
