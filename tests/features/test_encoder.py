import dataclasses
import threading

import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy.errors import BadInput, DataError


class Recording:
    """Mean colours, and what was asked for."""

    def __init__(self):
        self.shapes, self.threads = [], set()

    def __call__(self, images):
        self.shapes.append(images.shape)
        self.threads.add(threading.get_ident())
        return images.mean((1, 2))


def pictures(n):
    levels = np.arange(n, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(levels, (n, 4, 4, 3)).copy()


def test_every_batch_is_full_and_the_order_is_kept():
    seen = Recording()
    mean = qs.encoder(seen, name="mean", size=(4, 4), batch=4)
    np.testing.assert_array_equal(mean(pictures(10))[:, 0], np.arange(10))
    assert seen.shapes == [(4, 4, 4, 3)] * 3
    assert seen.threads == {threading.get_ident()}, "no_grad() holds in the caller's thread only"


def test_images_of_many_sizes_grey_ones_and_files_are_one_batch(tmp_path):
    Image.fromarray(np.full((9, 5, 3), 7, np.uint8)).save(tmp_path / "a.png")
    mean = qs.encoder(Recording(), name="mean", size=(4, 4))
    images = [np.full((3, 8), 5, np.uint8), np.full((6, 6, 3), 6, np.uint8), tmp_path / "a.png"]
    assert mean(images).tolist() == [[5] * 3, [6] * 3, [7] * 3]
    assert mean(images).dtype == np.float32
    assert (mean.size, mean.features) == ((4, 4), 3)


def test_batches_side_by_side_are_the_same():
    mean = qs.encoder(Recording(), name="mean", size=(4, 4), batch=3)
    many = dataclasses.replace(mean, workers=4)
    np.testing.assert_array_equal(many(pictures(50)), mean(pictures(50)))


def test_the_digest_says_what_is_done_to_an_image():
    def f(images):
        return images.mean((1, 2))

    base = qs.encoder(f, name="a", size=(4, 4))
    assert base.digest == qs.encoder(f, name="a", size=(4, 4), batch=3).digest
    others = [
        qs.encoder(f, name="b", size=(4, 4)),
        qs.encoder(f, name="a", size=(4, 5)),
        qs.encoder(f, name="a", size=(4, 4), fit="crop"),
    ]
    assert len({base.digest, *(one.digest for one in others)}) == 4


def test_one_image_none_and_other_shapes_are_refused(tmp_path):
    mean = qs.encoder(Recording(), name="mean", size=(4, 4))
    for one in ("a.jpg", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)):
        with pytest.raises(BadInput, match="is one image"):
            mean(one)
    with pytest.raises(BadInput, match="no image"):
        mean([])
    with pytest.raises(BadInput, match="give uint8"):
        mean(np.zeros((2, 4, 4, 3)))
    with pytest.raises(DataError, match=r"missing\.jpg"):
        mean([tmp_path / "missing.jpg"])


def test_wrong_features_are_refused():
    flat = qs.encoder(lambda x: x.mean((1, 2, 3)), name="flat", size=(4, 4), batch=2)
    with pytest.raises(BadInput, match=r"encoder flat returned .* \[2\] .* must return \[2, d\]"):
        flat(pictures(1))


def test_impossible_settings_are_refused():
    with pytest.raises(BadInput, match="name is empty"):
        qs.encoder(Recording(), name="")
    with pytest.raises(BadInput, match="batch is 0"):
        qs.encoder(Recording(), name="a", batch=0)
