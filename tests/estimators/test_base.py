"""What the estimators share: how X is read, and what is kept of it."""

import numpy as np
import pytest
from PIL import Image

from quickstudy import BadInput, FewShotClassifier, FewShotRegressor, Prototypical
from quickstudy.estimators.base import FewShotEstimator, Given
from references.stand_in_encoder import BLUE, GREEN, RED, Patches, coloured

FEATURES, IMAGES = np.random.default_rng(0).normal(size=(6, 4)), coloured(6, RED, size=(16, 12))
LEARNER = Prototypical(lambda x: x)
SMALL = np.zeros((2, 32, 32, 3), np.uint8)


def test_what_is_given_later_is_behind_what_was_given():
    both = Given(FEATURES[:2], SMALL).joined(Given(FEATURES[2:3], SMALL[:1]))
    np.testing.assert_array_equal(both.inputs, FEATURES[:3])
    assert both.thumbnails.shape == (3, 32, 32, 3)
    assert Given(FEATURES, None).joined(Given(FEATURES, None)).thumbnails is None
    for first, then, said in (
        (None, SMALL, "fitted on features and given images; give features"),
        (SMALL, None, "fitted on images and given features; give images"),
    ):
        with pytest.raises(BadInput, match=said):
            Given(FEATURES, first).joined(Given(FEATURES, then))


def taken(X, **settings):
    """What an estimator with a learner of its own makes of X."""
    return FewShotClassifier(learner=LEARNER, **settings)._given(X, reset=True).inputs


def test_a_learner_takes_images_of_their_own_size_or_of_the_one_that_is_named():
    assert taken(IMAGES).shape == (6, 16, 12, 3)
    assert taken(IMAGES, image=(8, 8, 1)).shape == (6, 8, 8, 1)
    different = [IMAGES[0], coloured(1, GREEN, size=(20, 20))[0]]
    assert taken(different, image=(8, 8, 3)).shape == (2, 8, 8, 3)
    with pytest.raises(BadInput, match=r"different sizes.*give image=\(height, width, channels\)"):
        taken(different)


def test_an_encoder_is_used_where_there_is_no_learner_or_it_is_named():
    assert FewShotClassifier(learner=LEARNER)._encoder() is None
    assert FewShotClassifier(Patches(), learner=LEARNER)._encoder() is not None
    assert FewShotClassifier(None)._encoder().name == "pixels-32x32"


def test_images_for_what_was_fitted_on_features():
    own = FewShotClassifier(head="ridge").fit(FEATURES, list("aaabbb"))
    for one in (own, FewShotClassifier(None).fit(FEATURES, list("aaabbb"))):
        with pytest.raises(BadInput, match=r"fitted on features \[n, 4\] and is given images"):
            one.predict(IMAGES)


def test_features_are_kept_as_they_are_and_images_as_thumbnails():
    features = FewShotClassifier(head="ridge").fit(FEATURES, list("aaabbb"))
    np.testing.assert_array_equal(features.inputs_, FEATURES)
    assert (features.thumbnails_, features.encoder_) == (None, None)
    images = np.concatenate([IMAGES[:3], coloured(3, GREEN, size=(16, 12))])
    pictures = FewShotClassifier(None, head="ridge").fit(images, list("aaabbb"))
    assert pictures.thumbnails_.shape == (6, 32, 32, 3)
    assert pictures.encoder_.name == "pixels-32x32"


def test_settings_are_written_as_json_and_an_encoder_by_its_name():
    own = FewShotClassifier(Patches(), unknown=np.float64(0.1), random_state=np.int64(3))
    settings = own._settings()
    assert settings["encoder"] == Patches().name
    assert (type(settings["unknown"]), type(settings["random_state"])) == (float, int)
    assert settings["head"] == "auto"


def test_both_estimators_have_it():
    assert issubclass(FewShotClassifier, FewShotEstimator)
    assert issubclass(FewShotRegressor, FewShotEstimator)


def test_channels_first_are_not_three_grey_images():
    x = np.concatenate([coloured(3, RED, size=(16, 12)), coloured(3, GREEN, size=(16, 12))])
    own = FewShotClassifier(Patches(), head="ridge").fit(x, list("aaabbb"))
    first = x[0].transpose(2, 0, 1)
    with pytest.raises(BadInput, match=r"X is \[3, 16, 12\].*fitted on colour; give .*\[h, w, 3\]"):
        own.predict(first)
    assert own.predict(first.transpose(1, 2, 0)).tolist() == ["a"]
    assert len(own.predict(list(first))) == 3
    grey = FewShotClassifier(Patches(), head="ridge").fit(x[..., 0], list("aaabbb"))
    assert len(grey.predict(first)) == 3


@pytest.mark.parametrize("scale", [1e160, 1e-160, 1e30, 1e-30])
def test_features_whose_squares_cannot_be_computed(scale):
    """Scaled by less they give the same answers, whatever their unit."""
    x = np.random.default_rng(0).normal(size=(12, 4)) + 3 * np.eye(4)[[0, 1, 2] * 4]
    y, unit = ["a", "b", "c"] * 4, FewShotClassifier().fit
    kind = np.float64 if scale in (1e160, 1e-160) else np.float32
    with pytest.raises(BadInput, match="the largest feature is"):
        unit((x * scale).astype(kind), y)
    near = unit(x * scale**0.25, y).predict(x * scale**0.25)
    np.testing.assert_array_equal(near, unit(x, y).predict(x))


@pytest.mark.parametrize(
    "image",
    [
        (28, 28),
        "28",
        28,
        (28, 28, 2),
        (0, 28, 1),
        (28.0, 28, 1),
        (28, 28, 1, "blue"),
        (28, 28, 1, "dark", 2),
    ],
)
def test_a_size_of_images_that_is_none_says_what_one_is(image):
    classifier = FewShotClassifier(learner=LEARNER, image=image)
    with pytest.raises(BadInput, match=r"image is .*; give \(height, width, channels\)"):
        classifier.fit(list(coloured(2, RED)), ["a", "b"])


def test_animations_are_counted_once_also_where_features_are_cached(tmp_path, caplog):
    files = []
    for name, colours in (("a", (RED, BLUE)), ("b", (BLUE, RED))):
        first, last = (Image.fromarray(coloured(1, colour)[0]) for colour in colours)
        files.append(tmp_path / f"{name}.gif")
        first.save(files[-1], save_all=True, append_images=[last])
    for _ in range(2):
        caplog.clear()
        classifier = FewShotClassifier(None).fit(files, ["a", "b"])
        assert [one.getMessage() for one in caplog.records] == [
            "2 images are animated; the first frame of each is used"
        ]
    caplog.clear()
    assert classifier.predict(files[0]).tolist() == ["a"]
    assert "1 images are animated" in caplog.text
