"""One task as images: what is right, what is wrong, and no padding."""

import jax
import pytest

from quickstudy.experiments.pictures.task_images import task_images
from quickstudy.tasks.task import Examples, Task
from references.reading_classes import ReadsPixel


def test_a_task_has_right_and_wrong_answers():
    x = jax.numpy.zeros((6, 8, 8, 1)).at[:, 0, 0, 0].set(jax.numpy.arange(6) % 3 / 10)
    y = jax.numpy.arange(6) % 3
    wrong = y.at[0].set(1)
    found = task_images(ReadsPixel(), Task(Examples(x, y, 3), Examples(x, wrong, 3)))
    answers = [answer for _, asked in found.rows for answer in asked]
    assert [(a.true, a.taken) for a in answers if a.true != a.taken] == [(1, 0)]
    assert len(answers) == 6
    assert [len(shown) for shown, _ in found.rows] == [2, 2, 2]
    assert found.rows[1][0][0].pixels[0, 0, 0] == pytest.approx(0.1)
    assert found.share == pytest.approx(5 / 6)


def test_a_task_shows_no_padding():
    """Of two classes one is present: one support image, and one query, which is right."""
    x = jax.numpy.full((4, 8, 8, 1), 0.1).at[:2].set(0.0)
    real, present = jax.numpy.array([True, False, False, False]), jax.numpy.array([True, False])
    padded = Examples(x, jax.numpy.array([0, 0, 1, 1]), 2, real, present)
    (shown, asked), (none, nothing) = task_images(ReadsPixel(2), Task(padded, padded)).rows
    assert (len(shown), len(none), len(nothing)) == (1, 0, 0)
    assert [(answer.true, answer.taken) for answer in asked] == [(0, 0)]


def test_large_tasks_are_cut():
    x, y = jax.numpy.zeros((250, 2, 2, 1)), jax.numpy.arange(250) % 25
    examples = Examples(x, y, 25)
    found = task_images(ReadsPixel(25), Task(examples, examples))
    assert len(found.rows) == 20
    assert {(len(shown), len(asked)) for shown, asked in found.rows} == {(8, 8)}
