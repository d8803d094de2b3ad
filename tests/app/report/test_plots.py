"""Charts are true, whether on paper or on a page."""

import re
from collections import Counter

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from quickstudy.app.report import plots
from quickstudy.experiments.pictures.watch import save_png
from quickstudy.experiments.sections import Answer, Axis, Chart, Line, Picture, TaskImages
from references.reading_html import Reader
from references.results import NASTY, a_learner_result, a_policy_result


def a_chart(*lines, x=Axis("x"), y=Axis("y"), title="t"):  # noqa: B008
    return Chart(title, x, y, lines)


def drawn(chart):
    axes = Figure().subplots()
    plots.draw(axes, chart)
    axes.autoscale_view()
    return axes


def texts(svg):
    return re.findall(r">([^<>]+)</text>", svg)


def test_there_is_no_episode_between_the_first_and_the_second():
    two = Line("policy", (1, 2), (0.5, 0.9))
    for whole, marks in ((True, ["1", "2"]), (False, ["1", "1.2", "1.4", "1.6", "1.8", "2"])):
        svg = plots.inline_svg(a_chart(two, x=Axis("across", whole=whole)), 0)
        assert texts(svg)[: len(marks) + 1] == [*marks, "across"]


def test_what_is_not_finite_leaves_a_gap():
    line = Line("a", range(4), [1.0, np.inf, 2.0, 3.0], [0.1, np.nan, np.inf, 0.1], "marked")
    svg = plots.inline_svg(a_chart(line), 0)
    Reader(svg)
    paths = re.findall(r'<path d="([^"]*)" clip-path[^>]*var\(--series-0\); stroke-width: 2', svg)
    assert [path.count("M") for path in paths] == [2]
    marks = Counter(re.findall(r'<use xlink:href="#([^"]*)"[^>]*series-0', svg))
    assert sorted(marks.values()) == [3, 4], "three dots, and the ends of two bars"
    (bars,) = drawn(a_chart(line)).collections
    np.testing.assert_allclose([bar[:, 1] for bar in bars.get_segments()], [[0.9, 1.1], [2.9, 3.1]])
    assert "nan" not in svg
    assert "inf" not in svg
    empty = Line("a", [0], [np.nan])
    assert "nan" not in plots.inline_svg(a_chart(empty, y=Axis("y", log=True)), 0)


@pytest.mark.parametrize("log", [False, True])
def test_heights_are_where_the_axis_says(log):
    axes = drawn(a_chart(Line("a", [0, 1], [1.0, 100.0]), y=Axis("y", log=log)))
    middle = axes.transData.transform([(0, 10.0 if log else 50.5)])
    assert axes.transAxes.inverted().transform(middle)[0, 1] == pytest.approx(0.5)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert ("50" in labels) != log or "20" in labels
    limited = drawn(a_chart(Line("a", [0, 1], [1.0, 9.0]), y=Axis("y", (0, 4))))
    low, high = limited.get_ylim()
    assert -0.2 < low < 0
    assert 4 < high < 4.2


def test_positions_may_have_names():
    axes = drawn(a_chart(Line("a", [0, 1], [1, 2]), x=Axis("x", (-0.3, 1.3), names=("1", "$5$"))))
    labels = axes.get_xticklabels()
    assert [label.get_text() for label in labels] == ["1", "$5$"]
    assert not any(label.get_parse_math() for label in labels)


def test_a_page_s_chart_follows_light_and_dark():
    lines = [Line(str(k), [0, 1], [k, k + 1], colour=k) for k in range(7)]
    svg = plots.inline_svg(a_chart(*lines), 0)
    for variable in plots.COLOURS.values():
        assert f"var({variable})" in svg
    assert not re.findall(r"#[0-9a-f]{6}", svg)
    assert "font-family" not in svg
    assert "<style" not in svg
    css = (plots.Path(plots.__file__).parent / "templates" / "style.css").read_text()
    light, dark = css.split("prefers-color-scheme: dark")
    for variable in plots.COLOURS.values():
        assert re.search(rf"{variable}: #[0-9a-f]{{6}}", light)
        assert re.search(rf"{variable}: #[0-9a-f]{{6}}", dark)
    for number, (colour, variable) in enumerate(plots.COLOURS.items()):
        assert f"{variable}: {colour}" in light, "the file's colour is the page's"
        if number < 7:
            assert f".c{number} {{ --c: var({variable}) }}" in css


def test_a_chart_is_the_same_each_time_and_its_names_are_its_own():
    chart = a_chart(Line("a", [0, 1], [1, 2], [0.1, 0.1], "marked"))
    first, again, second = (plots.inline_svg(chart, number) for number in (0, 0, 1))
    assert first == again
    names = [set(re.findall(r' id="([^"]*)"', svg)) for svg in (first, second)]
    assert names[0]
    assert not names[0] & names[1]
    for svg, own in zip((first, second), names, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([^")]*)', svg)) <= own
    assert "<metadata" not in first
    assert len(first) < 9000


def test_names_are_no_markup_and_no_mathematics():
    chart = a_chart(Line(NASTY, [0, 1], [1, 2]), x=Axis(NASTY), y=Axis(NASTY), title=NASTY)
    svg = plots.inline_svg(chart, 0)
    Reader(svg)
    assert svg.count("&lt;script&gt;") == 3
    assert "<script" not in svg
    assert svg.count("$x$") == 3


def test_a_number_in_a_name_is_not_rounded():
    svg = plots.inline_svg(a_chart(Line("a", [0, 1], [1, 2]), x=Axis("rate 0.12345")), 0)
    assert "rate 0.12345" in texts(svg)


@pytest.mark.parametrize("result", [a_learner_result(shots={}), a_policy_result()])
def test_a_file_names_the_data(result, tmp_path):
    figure = plots.charts_figure(result.charts(), result.headline.said)
    assert result.data in figure.get_suptitle().replace("\n", " ")
    file = plots.save_charts(result.charts(), result.headline.said, tmp_path / "a.png")
    assert imread(file).shape[1] > 300


def test_a_file_has_a_key():
    """Each name beside its own line, though intervals are lines, too."""
    lines = [Line("_policy", [0, 1], [1, 2], [0.1, 0.1]), Line("$n$", [0, 1], [2, 3], colour=1)]
    figure = plots.charts_figure([a_chart(*lines), a_chart(lines[1])], NASTY)
    keys = [axes.get_legend() for axes in figure.axes]
    names = [[text.get_text() for text in key.get_texts()] for key in keys]
    assert names == [[" _policy", " $n$"], [" $n$"]]
    colours = [[line.get_color() for line in key.get_lines()] for key in keys]
    assert colours == [list(plots.SERIES[:2]), [plots.SERIES[1]]]


def test_a_file_s_title_is_whole():
    title = (
        "reward of an episode before and after 3 updates on 2,000 test tasks of " + "HalfCheetah"
    )
    figure = plots.charts_figure(a_policy_result().charts(), title)
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert 0 < box.x0 < box.x1 < figure.bbox.x1
    assert figure.get_suptitle().replace("\n", " ") == title


def a_task(classes=2):
    picture = Picture(np.zeros((8, 8, 1)), "nothing")
    rows = [([picture], [Answer(picture, c, 0), Answer(picture, c, c)]) for c in range(classes)]
    return TaskImages(rows, 0.75)


def test_a_task_marks_right_and_wrong(tmp_path):
    figure = plots.task_figure(a_task())
    marks = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert marks == ["✓", "✓", "✗ 1", "✓"]
    assert sum(bool(axis.images) for axis in figure.axes) == 6
    assert "75% right" in figure.get_suptitle()
    assert imread(save_png(figure, tmp_path / "episode.png")).ndim == 3
    many = plots.task_figure(a_task(20))
    assert sum(axis.get_title() != "" for axis in many.axes) == 2 * plots.MOST_CLASSES


def test_ink_is_dark_on_light():
    ink = np.array([[0.0, 1.0], [0.5, 2.0]])[..., None]
    assert plots.on_paper(Picture(ink, "")).tolist() == [[255, 0], [127, 0]]
    colour = np.array([[[1.0, 0.0, 0.2]]])
    assert plots.on_paper(Picture(colour, "")).tolist() == [[[255, 0, 51]]]


def test_names_of_other_bytes_are_drawn_by_escapes(tmp_path):
    name = "V\udcf6gel"
    line = Line(name, (0, 1), (0.1, 0.2))
    chart = a_chart(line, x=Axis(name, names=(name, "b")), y=Axis(name), title=name)
    assert imread(plots.save_charts([chart], name, tmp_path / "a.png")).size
    assert r"V\udcf6gel" in texts(plots.inline_svg(chart, 0))
