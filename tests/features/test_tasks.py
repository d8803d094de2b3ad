"""Tasks of features are the tasks of the images, encoded."""

import jax
import numpy as np
import pytest

from quickstudy.errors import BadInput
from quickstudy.features.encoder import encoder
from quickstudy.features.tasks import encoded_tasks
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.transforms import Warp
from quickstudy.tasks.varying import Varying

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 8, 8), np.uint8)
CORNERS = encoder(
    lambda x: x[:, [0, 0, 7, 7], [0, 7, 0, 7], 0].astype(np.float32) / 255,
    name="corners",
    size=(8, 8),
    batch=4,
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path))


def corners(x):
    return np.asarray(x)[:, [0, 0, 7, 7], [0, 7, 0, 7], 0]


@pytest.mark.parametrize("turns", [1, 4])
@pytest.mark.parametrize("counts", [None, [4, 3, 4, 3, 4, 4]])
def test_a_key_draws_the_same_task(turns, counts):
    tasks = Episodes(IMAGES, ways=3, shots=1, queries=2, turns=turns, counts=counts)
    features = encoded_tasks(tasks, CORNERS)
    assert features.classes == tasks.classes
    for seed in range(5):
        (seen, classes), (found, same) = (
            one.draw(jax.random.key(seed)) for one in (tasks, features)
        )
        assert classes.tolist() == same.tolist()
        for part in ("support", "query"):
            image, feature = getattr(seen, part), getattr(found, part)
            assert image.y.tolist() == feature.y.tolist()
            np.testing.assert_allclose(feature.x, corners(image.x), atol=1e-6)


def test_groups_and_names_go_with_their_rotations():
    groups, names = [0, 0, 0, 1, 1, 1], tuple("abcdef")
    tasks = Episodes(IMAGES, ways=3, shots=1, queries=2, turns=4, groups=groups, names=names)
    features = encoded_tasks(tasks, CORNERS)
    assert features.names == tuple("aaaabbbbccccddddeeeeffff")
    assert features.groups.tolist() == [0] * 12 + [1] * 12


def test_varying_tasks():
    tasks = Varying(Episodes(IMAGES, ways=3, shots=2, queries=2), ways=2, shots=1)
    seen, found = (
        one.sample(jax.random.key(3)).support for one in (tasks, encoded_tasks(tasks, CORNERS))
    )
    assert seen.present.tolist() == found.present.tolist()
    real = np.asarray(seen.real)
    np.testing.assert_allclose(found.x[real], corners(seen.x)[real], atol=1e-6)


def test_nothing_is_encoded_twice():
    told = []

    def progress(what, done, total):
        told.append((what, done, total))

    tasks = Episodes(IMAGES, ways=3, shots=1, queries=2)
    encoded_tasks(tasks, CORNERS, progress=progress)
    assert told[-1] == ("encoding", 24, 24)
    told.clear()
    encoded_tasks(tasks, CORNERS, progress=progress)
    assert told == [("encoding", 24, 24)]


def test_tasks_that_change_their_images_are_refused():
    tasks = Episodes(IMAGES, ways=3, shots=1, queries=2, transform=Warp())
    with pytest.raises(BadInput, match=r"\(Warp\).* reads each image once"):
        encoded_tasks(tasks, CORNERS)
    features = Episodes(np.zeros((6, 4, 3), np.float32), ways=3, shots=1, queries=2)
    with pytest.raises(BadInput, match="holds no images"):
        encoded_tasks(features, CORNERS)
