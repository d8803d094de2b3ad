"""Which classes are taken for each other is counted truly."""

import equinox as eqx
import jax
import numpy as np
import pytest

from quickstudy.errors import BadInput
from quickstudy.experiments.pictures.confusion import class_image, confusions
from quickstudy.tasks.episodes import Episodes
from references.reading_classes import Reads, marked


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
    assert tasks.class_name(9) == "class 2, turned by 90°"


def test_pairs_have_pictures_and_names():
    tasks = Episodes(marked(3), ways=2, shots=1, queries=1, names=("a", "b", "c"))
    for pair in confusions(Reads(), tasks, episodes=5, key=jax.random.key(0)).pairs:
        classes = (pair.first, pair.second)
        assert [picture.alt for picture in pair.pictures] == ["abc"[c] for c in classes]
        pixels = [picture.pixels[0, 0, 0] for picture in pair.pictures]
        np.testing.assert_allclose(pixels, np.array(classes) / 255)
