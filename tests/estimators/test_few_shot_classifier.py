import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from quickstudy import BadInput, FewShotClassifier
from references.stand_in_encoder import BLUE, GREEN, RED, Patches, coloured

HEADS = ["auto", "centroids", "ridge", "discriminant", "logistic"]
NOT_RUN = {"check_array_api_input", "check_classifier_data_not_an_array"}
"""They ask for SCIPY_ARRAY_API and for pandas."""


def blobs(shots=6, ways=3, d=10, seed=0, apart=1.5):
    rng = np.random.default_rng(seed)
    y = np.arange(ways).repeat(shots)
    return rng.normal(size=(len(y), d)) + apart * rng.normal(size=(ways, d))[y], y


def photographs(n=5, seed=0):
    images = [coloured(n, c, seed=seed + i) for i, c in enumerate((RED, GREEN, BLUE))]
    return np.concatenate(images), np.array(["red", "green", "blue"]).repeat(n)


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("red", RED), ("green", GREEN)):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for i, image in enumerate(coloured(4, colour)):
            Image.fromarray(image).save(tmp_path / "classes" / name / f"{i}.png")
    return tmp_path / "classes"


def same_answers(one, other, x):
    np.testing.assert_array_equal(one.predict(x), other.predict(x))
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))


@pytest.mark.parametrize("head", HEADS)
def test_scikit_learns_checks(head):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(FewShotClassifier(head=head), on_skip=None)
    assert {one["check_name"] for one in found if one["status"] != "passed"} <= NOT_RUN


def test_scikit_learns_tools():
    x, y = blobs(shots=9)
    pipeline = make_pipeline(StandardScaler(), FewShotClassifier())
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.8
    search = GridSearchCV(FewShotClassifier(), {"head": HEADS[1:]}, cv=3).fit(x, y)
    assert search.best_score_ > 0.8
    assert clone(search.best_estimator_).head == search.best_params_["head"]
    images, names = photographs(6)
    encoded = FewShotClassifier(Patches(), head="centroids")
    assert cross_val_score(encoded, images, names, cv=3).min() == 1


@pytest.mark.parametrize(
    "labels", [["b", "a", "ç"], [7, -2, 40], [True, False, True], [2.0, 5.0, 9.0]]
)
def test_labels_of_any_kind(labels):
    x, y = blobs(apart=6)
    y = np.asarray(labels)[y]
    classifier = FewShotClassifier(head="ridge").fit(x, y)
    assert classifier.classes_.tolist() == sorted(set(labels))
    assert classifier.predict(x).dtype == y.dtype
    if len(set(labels)) == 3:
        assert classifier.score(x, y) == 1


def test_a_folder_is_learned_and_judged(folder):
    classifier = FewShotClassifier(Patches()).fit(folder)
    assert classifier.classes_.tolist() == ["green", "red"]
    assert classifier.predict(folder).tolist() == ["green"] * 4 + ["red"] * 4
    assert classifier.predict(str(folder / "red" / "0.png")).tolist() == ["red"]
    assert classifier.score(folder) == 1
    report = classifier.report(folder)
    assert (report.accuracy.count, report.pixels.of, report.confused) == (8, 8, ())
    files = sorted((folder / "red").iterdir())
    assert classifier.score(files, ["red"] * 4) == 1
    assert classifier.leave_one_out_["pixels"] == 1


def test_images_of_any_form_are_the_same():
    images, names = photographs()
    classifier = FewShotClassifier(Patches(), head="ridge").fit(images, names)
    wanted = classifier.predict_proba(images)
    forms = [
        list(images),
        [Image.fromarray(image) for image in images],
        images / 255,
        images.astype(np.uint16) * 257,
    ]
    for form in forms:
        np.testing.assert_allclose(classifier.predict_proba(form), wanted, atol=1e-12)
    assert classifier.predict_proba(images[0]).shape == (1, 3)


def test_sizes_may_differ():
    sizes = [(16, 16), (20, 30), (40, 8)]
    images = [coloured(1, c, size=s)[0] for c in (RED, BLUE) for s in sizes]
    classifier = FewShotClassifier(None).fit(images, ["red"] * 3 + ["blue"] * 3)
    assert classifier.encoder_.name == "pixels-32x32"
    assert classifier.predict_proba(images).shape == (6, 2)


@pytest.mark.parametrize("head", HEADS)
def test_partial_fit_is_fit_on_all(head):
    x, y = blobs(ways=4)
    order = np.argsort(y, kind="stable")
    whole = FewShotClassifier(head=head).fit(x[order], y[order])
    parts = FewShotClassifier(head=head).partial_fit(x[y == 0], y[y == 0])
    assert set(parts.predict(x)) == {0}
    parts.partial_fit(x[y == 1], y[y == 1]).partial_fit(x[y > 1], y[y > 1], classes=[0, 1, 2, 3])
    same_answers(parts, whole, x)


def test_partial_fit_reads_no_old_image():
    images, names = photographs()
    encoder = Patches()
    old, new = names != "blue", names == "blue"
    classifier = FewShotClassifier(encoder).fit(images[old], names[old])
    encoder.seen = 0
    classifier.partial_fit(images[new], ["blue"])
    assert encoder.seen == new.sum()
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    order = np.concatenate([np.flatnonzero(old), np.flatnonzero(new)])
    same_answers(classifier, FewShotClassifier(Patches()).fit(images[order], names[order]), images)


def test_one_example_of_each_class():
    x, y = blobs(shots=1, ways=5)
    classifier = FewShotClassifier().fit(x, y)
    assert type(classifier.head_).__name__ == "CentroidHead"
    assert classifier.leave_one_out_ == {}
    assert classifier.calibration_.examples == 0
    assert classifier.score(x, y) == 1


def test_a_class_with_one_example_among_others():
    x, y = blobs(shots=5, ways=3)
    keep = np.r_[:11]  # the last class has one
    for head in HEADS:
        classifier = FewShotClassifier(head=head).fit(x[keep], y[keep])
        assert classifier.calibration_.examples == 10
        np.testing.assert_allclose(classifier.predict_proba(x).sum(1), 1)


def test_the_choice_is_the_best_and_stays_the_same():
    x, y = blobs(shots=8, apart=0.8)
    classifier = FewShotClassifier().fit(x, y)
    again = FewShotClassifier().fit(x, y)
    assert classifier.head_ == again.head_
    assert set(classifier.leave_one_out_) == set(HEADS[1:])
    likelihoods = {h: FewShotClassifier(head=h).fit(x, y).calibration_.nll for h in HEADS[1:]}
    assert classifier.calibration_.nll == pytest.approx(min(likelihoods.values()), rel=1e-6)


def test_a_second_encoder_version_says_so(tmp_path):
    images, names = photographs()
    FewShotClassifier(Patches("one")).fit(images, names).save(tmp_path / "a.qs")
    other = FewShotClassifier.load(tmp_path / "a.qs", encoder=Patches("two"))
    with pytest.raises(Exception, match=r"patches \(hash one\).*patches \(hash two\)"):
        other.predict(images)


def test_mistakes_are_named():
    x, y = blobs()
    images, names = photographs()
    fitted = FewShotClassifier().fit(x, y)
    cases = [
        (lambda: FewShotClassifier(head="forest").fit(x, y), "head is 'forest'"),
        (lambda: FewShotClassifier().fit(x, np.eye(3)[y]), "y.argmax"),
        (lambda: FewShotClassifier().fit(x), "y is None"),
        (lambda: FewShotClassifier().fit(x, np.zeros(len(x), int)), "1 class"),
        (lambda: FewShotClassifier(3).fit(images, names), "encoder is 3"),
        (lambda: FewShotClassifier(abs).fit(images, names), r"must return floats \[15, d\]"),
        (lambda: FewShotClassifier("no-such-net").fit(images, names), "no-such-net"),
        (lambda: fitted.predict(images), "fitted on features"),
        (lambda: fitted.partial_fit(x, y.astype(str)), "of the same kind"),
        (lambda: fitted.score(x, y.astype(str)), "of the same kind"),
        (lambda: fitted.partial_fit(x, y, classes=[0, 1]), "not in classes"),
    ]  # fmt: skip
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
    assert issubclass(BadInput, ValueError)


def test_labels_that_are_not_known_count_as_wrong():
    x, y = blobs(apart=6)
    classifier = FewShotClassifier(head="centroids").fit(x[y < 2], y[y < 2])
    report = classifier.report(x, y)
    assert report.accuracy.count == 12
    assert {c.label for c in report.confused} == {2}


def test_jax_is_not_imported_for_features(tmp_path):
    x, y = blobs()
    FewShotClassifier().fit(x, y).save(tmp_path / "a.qs")
    program = (
        "import sys, numpy, quickstudy\n"
        "assert 'sklearn' not in sys.modules\n"
        f"c = quickstudy.FewShotClassifier.load({str(tmp_path / 'a.qs')!r})\n"
        f"c.predict(numpy.zeros((1, {x.shape[1]})))\n"
        "assert not {'jax', 'equinox', 'sklearn.linear_model'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
