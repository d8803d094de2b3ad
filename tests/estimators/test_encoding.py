import numpy as np
import pytest
from PIL import Image

from quickstudy import BadInput, CheckpointError
from quickstudy.estimators import encoding
from quickstudy.features.encoder import encoder
from references.stand_in_encoder import RED, Patches, coloured


def test_batches_and_progress():
    told, encoder = [], Patches()
    images = list(coloured(70, RED))
    out = encoding.features_of(encoder, images, lambda *one: told.append(one))
    assert out.shape == (70, 48)
    assert encoder.seen == 70
    assert told == [("images", 32, 70), ("images", 64, 70), ("images", 70, 70)]
    np.testing.assert_array_equal(out[40:41], encoding.features_of(encoder, images[40:41]))


def test_a_file_is_its_pixels(tmp_path):
    image = coloured(1, RED, size=(32, 32))[0]
    Image.fromarray(image).save(tmp_path / "a.png")
    np.testing.assert_array_equal(encoding.thumbnails([tmp_path / "a.png"])[0], image)
    np.testing.assert_array_equal(encoding.thumbnails([image])[0], image)


def test_any_function_is_an_encoder():
    one = encoding.resolved(lambda images: images.mean((1, 2)) / 255)
    assert encoding.features_of(one, list(coloured(3, RED))).shape == (3, 3)
    assert one.size == (224, 224)
    assert one.digest == ""


@pytest.mark.parametrize("made", [np.zeros((1, 4)), np.zeros((2, 4, 1)), np.zeros((2, 4), int)])
def test_what_is_no_features_is_refused(made):
    with pytest.raises(BadInput, match=r"must return floats \[2, d\]"):
        encoding.features_of(encoding.Called(lambda _: made), list(coloured(2, RED)))


def test_another_version_is_refused():
    encoding.demand_same(Patches("a"), encoding.Identity("patches", "a"))
    with pytest.raises(CheckpointError, match="fit it again"):
        encoding.demand_same(Patches("a"), encoding.Identity("patches", "b"))


def test_encoders_of_the_library_use_its_cache(monkeypatch):
    """Sets of images go through the cache, and a single image does not."""
    calls = []

    def brightness(images):
        calls.append("encoder")
        return images.mean((1, 2))

    def encoded(encoder, images, *, progress):
        calls.append("cache")
        return np.zeros((len(images), 3), np.float32)

    monkeypatch.setattr(encoding.cache, "encoded", encoded)
    own = encoder(brightness, name="brightness", size=(8, 8))
    images = list(coloured(3, RED))
    assert encoding.features_of(own, images).shape == (3, 3)
    assert encoding.features_of(own, images[:1]).shape == (1, 3)
    assert calls == ["cache", "encoder"]


@pytest.mark.parametrize("own", [True, False])
def test_an_encoder_that_makes_no_numbers_is_named(own):
    def broken(images):
        return images.mean((1, 2)) * np.float32(np.nan)

    made = encoder(broken, name="broken", size=(8, 8)) if own else encoding.Called(broken)
    with pytest.raises(BadInput, match=r"the encoder .*broken made features that are not finite"):
        encoding.features_of(made, list(coloured(2, RED)))
