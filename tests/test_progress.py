"""Progress is told in plain lines, or as a bar, and numbers are rounded for people."""

import io

from quickstudy.progress import Bar, Both, CountingBar, Lines, describe


def test_lines_are_plain_and_always_tell_of_validation():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    lines = Lines(stream, every=1e9)
    lines.start(0, 100)
    lines.update(1, {"loss": 1.0})
    lines.update(2, {"loss": 0.5})  # too soon for another line
    lines.update(3, {"validation_accuracy": 0.25})
    lines.update(100, {"loss": 0.1})
    lines.close()
    stream.seek(0)
    written = stream.read().splitlines()
    assert [line.split()[1] for line in written] == ["1/100", "3/100", "100/100"]
    assert "validation 25.0 %" in written[1]
    assert "s left" in written[1]


def test_description_leaves_out_what_nobody_follows():
    assert describe({"loss": 0.5, "gradient_norm": 3.0}) == "loss 0.5"
    assert describe({"return": -3.0, "accepted": 0.75}) == "return -3  accepted 0.75"


def test_a_counter_that_shows_nothing_leaves_nothing(capsys):
    with CountingBar() as counter:
        counter("Reading", 1, 2)
    assert capsys.readouterr().err == ""


def test_bar_and_counter_run_without_a_terminal(capsys):
    bar = Both(Bar(), Lines())
    bar.start(0, 2)
    bar.update(1, {"loss": 1.0})
    bar.update(2, {"validation_accuracy": 0.5})
    bar.close()
    with CountingBar() as counter:
        counter("Reading", 1, None)
        counter("Reading", 2, 2)
    assert "loss" in capsys.readouterr().err
