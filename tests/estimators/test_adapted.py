"""A learner of the library as the head."""

import pickle
from dataclasses import replace

import jax
import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy import BadInput, FewShotClassifier, FewShotRegressor
from quickstudy.estimators.adapted import seed_of
from quickstudy.experiments.problems.yours import FolderImages
from quickstudy.tasks.pictures import read_image
from references.recipes import typed, untrained
from references.stand_in_encoder import BLUE, RED, Patches, coloured

X = np.concatenate([coloured(4, RED, size=(8, 8)), coloured(4, BLUE, seed=1, size=(8, 8))])
Y = np.array(["red"] * 4 + ["blue"] * 4)
KEY = jax.random.key(0)


def conv(channels=3):
    return qs.Conv4((8, 8, channels), filters=4, downsample="stride", key=KEY)


def test_a_learner_takes_images_as_the_samplers_make_them():
    learner = qs.Prototypical(conv())
    classifier = FewShotClassifier(learner=learner).fit(X, Y)
    support = qs.Examples.of(X, np.unique(Y, return_inverse=True)[1])
    wanted = learner.adapt(support)(support.x)
    np.testing.assert_allclose(classifier.scores_(X), wanted, rtol=1e-4, atol=1e-4)
    assert classifier.calibration_.examples == 8
    assert classifier.predict(X).shape == (8,)
    assert classifier.predict(X[0]).shape == (1,)


def test_grey_and_another_size():
    classifier = FewShotClassifier(learner=qs.Prototypical(conv(1)), image=(8, 8, 1))
    larger = [image.repeat(2, 0).repeat(2, 1) for image in X]
    assert classifier.fit(larger, Y).inputs_.shape == (8, 8, 8, 1)
    with pytest.raises(BadInput, match="image="):
        FewShotClassifier(learner=qs.Prototypical(conv())).fit([*larger[:7], X[0]], Y)


def test_more_outputs_than_classes():
    model = qs.MLP(6, (8, 5), key=KEY)
    x = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    x[:, 0] += np.arange(3).repeat(3) * 3
    classifier = FewShotClassifier(learner=qs.MAML(model, inner_lr=0.1, steps=3))
    p = classifier.fit(x, np.arange(3).repeat(3)).predict_proba(x)
    assert p.shape == (9, 3)
    with pytest.raises(BadInput, match="5 outputs"):
        classifier.fit(x, np.arange(9) % 7)


def test_features_of_an_encoder():
    body = qs.MLP(48, (8,), key=KEY)
    classifier = FewShotClassifier(Patches(), learner=qs.RidgeRegression(body)).fit(X, Y)
    assert classifier.inputs_.shape == (8, 48)
    assert classifier.score(X, Y) == 1


def test_unknown_and_partial_fit():
    learner = qs.Prototypical(conv())
    classifier = FewShotClassifier(learner=learner, unknown=0.2).fit(X[:6], Y[:6])
    assert 0 <= classifier.threshold_ <= 1
    whole = FewShotClassifier(learner=learner, unknown=0.2).fit(X, Y)
    classifier.partial_fit(X[6:], Y[6:])
    np.testing.assert_array_equal(classifier.predict_proba(X), whole.predict_proba(X))


def test_regression():
    x = np.linspace(-2, 2, 10)[:, None]
    learner = qs.RidgeRegression(qs.MLP(1, (40,), key=KEY), loss=qs.squared_error)
    assert FewShotRegressor(learner=learner).fit(x, x[:, 0]).score(x, x[:, 0]) > 0.9


def test_it_cannot_be_saved(tmp_path):
    classifier = FewShotClassifier(learner=qs.Prototypical(conv())).fit(X, Y)
    with pytest.raises(BadInput, match="cannot be saved"):
        classifier.save(tmp_path / "a.qs")


def test_a_run_s_learner_sees_files_as_it_was_trained(tmp_path):
    """Drawings of dark ink on paper, which it knows as light ink on a dark ground."""
    run = untrained(tmp_path / "run", "prototypical-glyphs", "--filters 4")
    ink = np.zeros((2, 28, 28), np.uint8)
    ink[0, 12:16, 4:24] = ink[1, 4:24, 12:16] = 255
    for name, drawn in zip(("bar", "post"), 255 - ink, strict=True):
        (tmp_path / "drawn" / name).mkdir(parents=True)
        Image.fromarray(drawn).save(tmp_path / "drawn" / name / "0.png")
    classifier = FewShotClassifier.from_run(run).fit(tmp_path / "drawn")
    assert classifier.image == (28, 28, 1)
    np.testing.assert_array_equal(classifier.inputs_[..., 0], ink)
    assert classifier.calibration_.temperature == 1, "nothing could be held out"
    with pytest.raises(BadInput, match="a policy"):
        FewShotClassifier.from_run(untrained(tmp_path / "rl", "rl2-bandit", "--width 4"))


@pytest.mark.parametrize("ink", ["light", "dark", "auto"])
@pytest.mark.parametrize("paper", [255, 0])
def test_a_picture_is_one_input_in_whatever_form_it_is_given(tmp_path, ink, paper):
    """A file, what Pillow opens of it, and its bytes, of a folder's own ink."""
    drawn = np.full((28, 28), paper, np.uint8)
    drawn[12:16, 4:24] = 255 - paper
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "bar.png"
    Image.fromarray(drawn).save(file)
    problem = {"path": str(tmp_path), "shape_of_one": (28, 28, 1), "ink": ink}
    recipe = typed("prototypical-glyphs", "--filters 4")
    recipe = replace(recipe, problem=FolderImages(**problem, test=("a",)))
    qs.export(recipe.learner(), tmp_path / "own.safetensors", recipe)
    classifier = FewShotClassifier.from_run(tmp_path / "own.safetensors")
    assert classifier.image == ((28, 28, 1) if ink == "auto" else (28, 28, 1, ink))
    wanted = read_image(file, ink=ink)
    for given in ([str(file)], [Image.open(file)], [drawn], drawn[None], drawn[None] / 255):
        seen = classifier._given(given, reset=True).inputs
        np.testing.assert_array_equal(seen[0, ..., 0], wanted)


@pytest.mark.parametrize("ink", ["light", "dark"])
def test_colours_are_inverted_only_for_a_run_that_saw_them_so(ink):
    classifier = FewShotClassifier(learner=qs.Prototypical(conv()), image=(8, 8, 3, ink))
    seen = classifier._given(list(X), reset=True).inputs
    np.testing.assert_array_equal(seen, X if ink == "light" else 255 - X)


def test_scores_from_0_to_1_become_log_odds_for_the_softmax():
    keys = jax.random.split(KEY)
    learner = qs.Relation(qs.MLP(6, (4,), key=keys[0]), qs.MLP(8, (4, 1), key=keys[1]))
    x = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    seen = FewShotClassifier(learner=learner).fit(x, ["a", "b"]).examine(x)
    scores = np.asarray(learner.adapt(qs.Examples.of(x, [0, 1]))(x))
    assert seen.shown_as == "score"
    np.testing.assert_allclose(seen.shown, scores, rtol=1e-4)
    odds = scores / (1 - scores)
    np.testing.assert_allclose(seen.probabilities, odds / odds.sum(1, keepdims=True), rtol=1e-4)


def test_a_learner_of_other_inputs_says_so():
    """Those of its network, whether its number of outputs is fixed or not."""
    body, head = (qs.MLP(64, (8, *more), key=jax.random.key(0)) for more in ((), (2,)))
    images = list(coloured(2, RED))
    for learner in (qs.Prototypical(body), qs.MAML(head, inner_lr=0.1, steps=1)):
        said = rf"{type(learner).__name__} cannot take tasks whose inputs are \[4, 6\]: .*; give in"
        with pytest.raises(BadInput, match=said):
            FewShotClassifier(learner=learner).fit(np.ones((4, 6)), ["a", "b", "a", "b"])
        with pytest.raises(BadInput, match=r"cannot take tasks whose inputs are \[2, 4, 4, 1\]"):
            FewShotClassifier(learner=learner, image=(4, 4, 1)).fit(images, ["a", "b"])


@pytest.mark.parametrize("seed", [0, np.int64(3), None, np.random.RandomState(0), 2**40])
def test_seeds_as_scikit_learn_has_them(seed):
    assert type(seed_of(seed)) is int
    classifier = FewShotClassifier(learner=qs.Prototypical(conv()), random_state=seed)
    assert classifier.fit(X, Y).predict(X).shape == (8,)


@pytest.mark.parametrize("seed", [1.5, "a", True, np.random.default_rng(0), 2**63])
def test_what_is_no_seed(seed):
    learner, x = qs.RidgeRegression(qs.MLP(1, (4,), key=KEY), loss=qs.squared_error), X[:, 0, 0, :1]
    for own in (
        FewShotClassifier(learner=qs.Prototypical(conv()), random_state=seed),
        FewShotRegressor(learner=learner, random_state=seed),
    ):
        given = (X, Y) if isinstance(own, FewShotClassifier) else (x / 255, x[:, 0])
        with pytest.raises(BadInput, match=r"random_state is .*; give a whole number"):
            own.fit(*given)


def test_drawn_seeds_differ_and_those_of_a_state_come_again():
    assert len({seed_of(None) for _ in range(5)}) > 1
    first, again = (seed_of(np.random.RandomState(7)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("given", ["prototypical", 5, qs.Prototypical, object()])
@pytest.mark.parametrize("kind", [FewShotClassifier, FewShotRegressor])
def test_what_is_no_learner_is_refused(kind, given):
    x = np.eye(4, dtype=np.float32)
    for one in (x, X[:4]):
        with pytest.raises(BadInput, match=r"learner is .*; give a learner with its weights"):
            kind(learner=given).fit(one, [0, 0, 1, 1])


def test_numbers_beyond_single_precision_are_refused():
    """Their distances were not-a-number, and the first class was the answer to all of them."""
    x = np.random.default_rng(0).normal(size=(6, 2))
    y = np.arange(6) % 2
    learner = qs.Prototypical(qs.MLP(2, (4,), key=KEY))
    with pytest.raises(BadInput, match=r"the largest number is .*; scale X"):
        FewShotClassifier(learner=learner).fit(x * 1e60, y)
    with pytest.raises(BadInput, match=r"are infinite or not-a-number, for .*e\+2\d; scale X"):
        FewShotClassifier(learner=learner).fit(x * 1e25, y)
    fitted = FewShotClassifier(learner=learner).fit(x, y)
    with pytest.raises(BadInput, match="outputs are infinite or not-a-number"):
        fitted.predict_proba(x * 1e25)
    ridge = qs.RidgeRegression(qs.MLP(2, (4,), key=KEY), loss=qs.squared_error)
    with pytest.raises(BadInput, match=r"the largest number is .*; scale X"):
        FewShotRegressor(learner=ridge).fit(x, x[:, 0] * 1e60)


def test_an_estimator_with_a_learner_can_be_pickled():
    x = np.random.default_rng(0).normal(size=(6, 2))
    learner = qs.Prototypical(qs.MLP(2, (4,), key=KEY))
    fitted = FewShotClassifier(learner=learner).fit(x, np.arange(6) % 2)
    other = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(other.predict_proba(x), fitted.predict_proba(x))


def test_images_after_fit_are_in_the_size_of_those_before(tmp_path):
    fitted = FewShotClassifier(learner=qs.Prototypical(conv())).fit(X, Y)
    one = np.broadcast_to(np.uint8(RED), (1, 8, 8, 3))
    larger = one.repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(fitted.predict_proba(larger), fitted.predict_proba(one))
    Image.fromarray(X[0]).save(tmp_path / "a.png")
    files = fitted.predict_proba([tmp_path / "a.png"])
    np.testing.assert_allclose(files, fitted.predict_proba(X[:1]), rtol=1e-5)


def test_features_and_images_are_not_taken_for_each_other():
    fitted = FewShotClassifier(learner=qs.Prototypical(conv())).fit(X, Y)
    for call in (fitted.predict, lambda x: fitted.partial_fit(x, Y)):
        with pytest.raises(BadInput, match="was fitted on images and is given features"):
            call(np.ones((8, 5)))
    net = qs.Prototypical(qs.MLP(5, (4,), key=KEY))
    fitted = FewShotClassifier(learner=net).fit(np.eye(8, 5), Y)
    with pytest.raises(BadInput, match=r"was fitted on features .* and is given images"):
        fitted.predict(X)
