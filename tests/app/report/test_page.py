"""The page of a run: self-contained, escaped; its curves and its confused classes are true."""

import base64
import io
import json
import re
from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from PIL import Image

from quickstudy.app.cli import main
from quickstudy.app.report import curves, figures, page, svg
from quickstudy.app.report.confusion import class_image, class_name, confusions
from quickstudy.app.report.policy_page import PolicyStory, best_reference, policy_page, regret
from quickstudy.checkpoint import save_arrays
from quickstudy.errors import BadInput
from quickstudy.evaluation.tasks import Estimate, Evaluation
from quickstudy.evaluation.trials import Returns, TrialEvaluation
from quickstudy.learners.learner import Learner
from quickstudy.learners.losses import squared_error
from quickstudy.recipes import find
from quickstudy.runs import Run
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.sinusoid import Sinusoid
from references.reading_html import Reader, demand_self_contained
from references.refusing import stopped

NASTY = '<script>alert("1")</script>&'


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory):
    """The folder of a run whose learner has learned nothing, and which stopped half-way."""
    folder = tmp_path_factory.mktemp("runs") / "a<b>&c"
    recipe = find("prototypical-glyphs")(steps=4, filters=2)
    run = Run.create(folder, recipe.to_json())
    run.log({"step": 1, "loss": 3.0, "accuracy": 0.1, "seconds": 2.0})
    validation = {"validation_accuracy": 0.25, "validation_score": 0.25}
    run.log({"step": 2, "loss": 1.0, "accuracy": 0.2, **validation, "seconds": 2.5})
    save_arrays(run.learner_file, recipe.learner(), recipe.to_json())
    return folder


def test_report_before_any_evaluation_says_how_to_make_one(glyphs, capsys):
    main(["report", str(glyphs), "--episodes", "4"])
    assert "report.html" in capsys.readouterr().out
    text = (glyphs / "report.html").read_text()
    demand_self_contained(text)
    assert "quickstudy evaluate" in text
    assert "Stopped at step 2 of 4" in text
    assert "25.00 % at step 2" in text
    assert "0.5 s</td>" in text, "seconds per step"
    assert re.search(r"tasks per second, so</t.>\s*<td[^>]*>4<", text), "2 tasks in half a second"
    assert "a&lt;b&gt;&amp;c" in text
    assert "a<b>" not in text
    assert "<svg" in text
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text


def test_report_shows_the_evaluation_and_the_changed_settings(glyphs):
    evaluation = an_evaluation(path=(Estimate(0.2, 0.0), Estimate(0.9, 0.0123)))
    shots = {"shots": {"1": {"mean": 0.5, "interval": 0.1}}}
    file = glyphs / "evaluation-test.json"
    file.write_text(json.dumps({**evaluation.to_json(), **shots}))
    main(["report", str(glyphs), "--episodes", "4"])
    file.unlink()
    text = (glyphs / "report.html").read_text()
    for part in ("90.00 ± 1.23 %", "yes: queries see each other", "1,000 test tasks",
                 "inner steps", "support examples per class", "<b>4</b></td><td>2400"):  # fmt: skip
        assert part in text


def test_what_cannot_be_reported(glyphs, tmp_path, capsys):
    said = stopped(["report", str(tmp_path / "nowhere")], capsys)
    assert "nowhere is not a run" in said
    said = stopped(["report", str(glyphs / "learner.safetensors")], capsys)
    assert "give the run's folder" in said
    (tmp_path / "recipe.json").write_text('{"recipe": "maml-glyphs"}')
    said = stopped(["report", str(tmp_path)], capsys)
    assert "--resume" in said
    assert "--episodes is 0" in stopped(["report", str(glyphs), "--episodes", "0"], capsys)
    file = glyphs / "evaluation-test.json"
    for damaged in ("{", "[]", '{"metric": 1}'):
        file.write_text(damaged)
        said = stopped(["report", str(glyphs)], capsys)
        assert "evaluation-test.json" in said
        assert "quickstudy evaluate" in said
    file.unlink()


def an_evaluation(**changes):
    values = {
        "metric": "accuracy",
        "after": Estimate(0.9, 0.0123),
        "before": Estimate(0.2, 0.0),
        "path": (),
        "episodes": 1000,
        "transductive": True,
    }
    return Evaluation(**{**values, **changes})


def test_everything_is_escaped():
    story = page.Story(
        run=NASTY,
        recipe=NASTY,
        about={NASTY: f"{NASTY} https://a.org/{NASTY}"},
        settings=[(NASTY, NASTY, None), ("steps", 20, 10)],
        environment={NASTY: {NASTY: [NASTY]}, "commit": NASTY, "machine": {"processor": NASTY}},
        metrics=[{"step": 5, "loss": 1.0, NASTY: 1.0, f"validation_{NASTY}": 2.0, "seconds": 1.0}],
        trained_on=NASTY,
        tested_on=NASTY,
        evaluation=an_evaluation(metric=NASTY),
        others={NASTY: an_evaluation()},
        missing=NASTY,
    )
    text = page.page(story)
    demand_self_contained(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 15


def test_everything_on_a_policy_page_is_escaped():
    earned = Returns.of(np.arange(6.0).reshape(3, 2))
    found = TrialEvaluation(earned, {NASTY: Returns.of(np.full((3, 2), 9.0))}, 3)
    story = PolicyStory(
        run=NASTY,
        recipe=NASTY,
        about={NASTY: NASTY},
        settings=[(NASTY, NASTY, None), ("steps", 20, 10)],
        environment={NASTY: NASTY, "commit": NASTY},
        metrics=[{"step": 5, "loss": 1.0, "entropy": 1.0, "seconds": 1.0}],
        evaluation=found,
        others={NASTY: found},
        missing=NASTY,
    )
    text = policy_page(story)
    demand_self_contained(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 15


def test_there_is_no_episode_between_the_first_and_the_second():
    two = svg.Series("policy", (1, 2), (0.5, 0.9))
    marked = lambda axis: re.findall(  # noqa: E731
        r'y="\d+" text-anchor="middle">([\d.]+)<', svg.chart([two], axis, svg.Axis("r"), "t")
    )
    assert marked(svg.Axis("episode", whole=True)) == ["1", "2"]
    assert marked(svg.Axis("metres")) == ["1", "1.2", "1.4", "1.6", "1.8", "2"]


def test_a_page_of_updates_says_so():
    """Four stages of one policy that adapts are no trial, and their sum is nothing."""
    earned = Returns.of(np.array([[1.25, 2.5, 3.125, 5.0]] * 3))
    found = TrialEvaluation(earned, {"untrained": earned}, 3, "update")
    story = PolicyStory("runs/a", "maml", {}, [], {}, [], found, {"test-9": found}, stage="update")
    text = policy_page(replace(story, metrics=[{"step": 5, "accepted": 0.8}]))
    assert "Steps that the trust region accepted" in text
    for said in ("5 ± 0", "after 3 updates", "2 updates", "Reward of an episode before and after"):
        assert said in text, said
    for said in ("trial", "first episode", "missed so far", "11.88"):
        assert said not in text.split("</header>")[1].split("Settings")[0], said
    assert "reward of a trial of 4 episodes" in policy_page(
        PolicyStory("runs/a", "rl2", {}, [], {}, [], found)
    )


def test_regret_adds_up_what_was_missed():
    """Episodes pay 2 and 3 on average, the best 9 each: 7 are missed, then 13."""
    earned, best = (Returns.of(x) for x in (np.arange(6.0).reshape(3, 2), np.full((3, 2), 9.0)))
    assert regret(earned, best) == [7.0, 13.0]
    found = TrialEvaluation(
        earned, {"low": Returns.of(np.zeros((3, 2))), "high": best}, 3, "update"
    )
    assert best_reference(found) == "high"
    assert best_reference(TrialEvaluation(earned, {}, 3)) is None
    assert TrialEvaluation.from_json(json.loads(json.dumps(found.to_json()))) == found


class Reads(Learner):
    """Takes every query for class 0 of its task, and every target for 0, 1, 2 ... by steps."""

    def adapt(self, support, *, key=None):
        return lambda x: jax.nn.one_hot(jax.numpy.zeros(len(x), int), support.ways or 1)


def marked(classes):
    """2×2 images: the first pixel is the class."""
    images = np.zeros((classes, 3, 2, 2), np.uint8)
    images[..., 0, 0] = np.arange(classes)[:, None]
    return images


@pytest.mark.parametrize("settings", [{"turns": 4}, {"groups": np.arange(6) % 2}])
def test_draw_names_the_classes_behind_the_labels(settings):
    tasks = Episodes(marked(6), ways=3, shots=1, queries=2, **settings)
    keys = jax.random.split(jax.random.key(0), 5)
    many, all_classes = eqx.filter_jit(eqx.filter_vmap(tasks.draw))(keys)
    same = eqx.filter_jit(eqx.filter_vmap(tasks.sample))(keys)
    jax.tree.map(np.testing.assert_array_equal, many, same)
    for part in (many.support, many.query):
        for x, y, classes in zip(part.x, part.y, all_classes, strict=True):
            for image, label in zip(np.asarray(x), np.asarray(y), strict=True):
                upright = np.rot90(image[..., 0], -int(classes[label]) % tasks.turns)
                assert round(255 * float(upright[0, 0])) == classes[label] // tasks.turns


def test_confusions_are_counted_by_true_class():
    """The learner answers 0: in each task all queries of the others are taken for that class."""
    tasks = Episodes(marked(4), ways=2, shots=1, queries=2)
    key = jax.random.key(3)
    found = confusions(Reads(), tasks, episodes=7, key=key, most=100)
    forth, draw = {}, eqx.filter_jit(tasks.draw)
    for i in range(7):  # the tasks of `evaluate`, one by one
        sample_key, _ = jax.random.split(jax.random.fold_in(key, i))
        taken, true = draw(sample_key)[1].tolist()
        forth[true, taken] = forth.get((true, taken), 0) + 2
    told = {(p.first, p.second): p.forth for p in found.pairs}
    told |= {(p.second, p.first): p.back for p in found.pairs if p.back}
    assert told == forth
    assert (found.wrong, found.queries) == (14, 28)
    assert [p.count for p in found.pairs] == sorted([p.count for p in found.pairs], reverse=True)
    assert all(p.met == 2 * p.count for p in found.pairs)
    assert len(confusions(Reads(), tasks, episodes=7, key=key, most=1).pairs) == 1
    with pytest.raises(BadInput, match="episodes is 0"):
        confusions(Reads(), tasks, episodes=0, key=key)


def test_a_class_is_shown_turned_as_it_is():
    tasks = Episodes(marked(3), ways=2, shots=1, queries=1, turns=4)
    assert class_image(tasks, 9)[:, :, 0].tolist() == [[0, 0], [np.float32(2) / 255, 0]]
    assert class_name(tasks, 9) == "class 2, turned by 90°"


def test_pictures_hold_themselves():
    def pixels(image):
        data = base64.b64decode(figures.data_uri(image).partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)))

    ink = np.array([[0.0, 1.0], [0.5, 0.0]])[..., None]
    assert pixels(ink).tolist() == [[255, 0], [128, 255]]
    colour = np.array([[[1.0, 0.0, 0.2]]])
    assert pixels(colour).tolist() == [[[255, 0, 51]]]


class Steps(Learner):
    """After k steps it predicts k everywhere."""

    def adapt(self, support, *, key=None):
        return lambda x: jax.numpy.full((len(x), 1), 99.0)

    def adapt_by_steps(self, support, steps):
        return jax.tree_util.Partial(lambda k, x: jax.numpy.full(x.shape, k),
                                     jax.numpy.arange(steps + 1.0))  # fmt: skip


def test_a_regression_is_drawn_after_0_1_5_and_10_steps():
    tasks, key = Sinusoid(shots=4), jax.random.key(0)
    found = figures.fit(Steps(loss=squared_error), tasks, key)
    assert [curve[7] for curve in found.curves.values()] == [0, 1, 5, 10]
    truth = tasks.truth(key)(jax.numpy.asarray(found.x[:, None]))[:, 0]
    np.testing.assert_allclose(found.truth, truth, atol=1e-6)
    np.testing.assert_allclose(found.support[1], tasks.sample(key).support.y[:, 0])
    without = figures.fit(Reads(loss=squared_error), tasks, key)
    assert list(without.curves) == ["before", "after"]
    text = curves.regression(found)
    assert text.count("<circle") == 4
    assert "after 10 steps" in text


def test_what_is_not_finite_leaves_a_gap():
    line = svg.Series("a", range(4), [1.0, np.inf, 2.0, 3.0], [0.1, np.nan, np.inf, 0.1], "marked")
    text = svg.chart([line], svg.Axis("x"), svg.Axis("y"), "t")
    Reader(text)
    (path,) = re.findall(r'<path d="(M[^V"]*)"', text)
    assert path.count("M") == 2
    assert text.count("<circle") == 3
    assert text.count('class="bar"') == 2
    assert "nan" not in text
    assert "inf" not in text
    empty = svg.Series("a", [0], [np.nan])
    assert "nan" not in svg.chart([empty], svg.Axis("x"), svg.Axis("y", log=True), "t")


def test_heights_are_where_the_axis_says():
    line = svg.Series("a", [0, 1], [1.0, 100.0], style="marked")
    for log, middle in ((False, 50.5), (True, 10.0)):
        axis = svg.Axis("y", (1.0, 100.0), log=log)
        assert axis.place(middle, (1.0, 100.0)) == pytest.approx(0.5)
        heights = re.findall(r'cy="([\d.]+)"', svg.chart([line], svg.Axis("x"), axis, "t"))
        bottom, top = map(float, heights)
        assert bottom - top == svg.HEIGHT - svg.TOP - svg.BOTTOM


def test_stretches_weigh_as_many_steps_as_they_have():
    lines = [{"step": 1, "loss": 10.0}, {"step": 5, "loss": 5.0}, {"step": 10, "loss": 1.0}]
    assert curves.thinned(lines, "loss", 2) == ([5, 10], [6.0, 1.0])
    assert curves.thinned(lines, "accuracy") == ([], [])
    assert "<figure" not in curves.training([{"step": 1}])
