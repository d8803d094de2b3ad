"""The episode sampler: what every task it draws must be, and that its draws are uniform."""

import itertools
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import PartitionSpec as P

from quickstudy import BadInput
from quickstudy.tasks.episodes import Episodes, draw_distinct
from quickstudy.tasks.images import ImageClasses
from quickstudy.tasks.task import sample_batch
from quickstudy.tasks.transforms import ClassTurns

CLASSES, ITEMS = 12, 7
UNEVEN = np.array([7, 4, 5, 6, 7, 4, 4, 5, 6, 7, 7, 4])


def marked(classes=CLASSES, items=ITEMS):
    """2×2 images [[class, item], [200, 0]]: every pixel tells where it came from."""
    images = np.zeros((classes, items, 2, 2), np.uint8)
    images[..., 0, 0] = np.arange(classes)[:, None]
    images[..., 0, 1] = np.arange(items)
    images[..., 1, 0] = 200
    return images


SAMPLERS = {
    "even": Episodes(marked(), ways=4, shots=2, queries=3),
    "one of each": Episodes(marked(), ways=3, shots=1, queries=1),
    "all": Episodes(marked(), ways=CLASSES, shots=2, queries=ITEMS - 2),
    "uneven": Episodes(marked(), ways=4, shots=1, queries=3, counts=UNEVEN),
    "grouped": Episodes(marked(), ways=4, shots=2, queries=2, groups=np.arange(CLASSES) % 3),
}
names = st.sampled_from(list(SAMPLERS))
seeds = st.integers(0, 2**32 - 1)


@eqx.filter_jit
def draw_on_device(tasks, key, n):
    return sample_batch(tasks, key, n)


def draw(tasks, key, n=50):
    return jax.device_get(draw_on_device(tasks, key, n))


def origins(examples):
    """The class and the item of each example, read from its pixels."""
    pixels = np.rint(np.asarray(examples.x) * 255).astype(int)
    return pixels[..., 0, 0, 0], pixels[..., 0, 1, 0]


@given(names, seeds)
def test_every_task_is_a_few_shot_task(name, seed):
    tasks = SAMPLERS[name]
    batch = draw(tasks, jax.random.key(seed))
    for i in range(0, 50, 5):
        task = jax.tree.map(lambda a, i=i: a[i], batch)
        support_class, support_item = origins(task.support)
        query_class, query_item = origins(task.query)
        support = set(zip(support_class, support_item, strict=True))
        query = set(zip(query_class, query_item, strict=True))
        assert len(support) == tasks.ways * tasks.shots, "a support example appears twice"
        assert len(query) == tasks.ways * tasks.queries, "a query example appears twice"
        assert not support & query, "an example is in support and query"
        assert len(set(support_class)) == tasks.ways, "classes are not distinct"
        for labels, per_class in ((task.support.y, tasks.shots), (task.query.y, tasks.queries)):
            assert np.bincount(labels, minlength=tasks.ways).tolist() == [per_class] * tasks.ways
        class_of = dict(zip(np.asarray(task.support.y).tolist(), support_class, strict=True))
        assert all(class_of[int(y)] == c for y, c in zip(task.query.y, query_class, strict=True))
        assert all(
            class_of[int(y)] == c for y, c in zip(task.support.y, support_class, strict=True)
        )


@given(seeds)
def test_padding_is_never_drawn(seed):
    batch = draw(SAMPLERS["uneven"], jax.random.key(seed))
    for examples in (batch.support, batch.query):
        classes, items = origins(examples)
        assert (items < UNEVEN[classes]).all()


@given(seeds)
def test_a_grouped_task_stays_in_one_group(seed):
    batch = draw(SAMPLERS["grouped"], jax.random.key(seed))
    groups = np.concatenate([origins(batch.support)[0], origins(batch.query)[0]], axis=1) % 3
    assert (groups == groups[:, :1]).all()


@pytest.mark.parametrize("ids", [(7, 9), (-3, 10**9), ("Latin", "Greek")])
def test_groups_may_have_any_ids(ids):
    """Above the number of classes, below zero, or names: as with 0 and 1."""
    numbers = np.arange(CLASSES) % 2
    order = np.argsort(np.array(ids))
    tasks = {
        name: Episodes(marked(), ways=4, shots=1, queries=1, groups=groups)
        for name, groups in (("any", np.array(ids)[numbers]), ("plain", order.argsort()[numbers]))
    }
    found, wanted = (draw(own, jax.random.key(0)) for own in tasks.values())
    np.testing.assert_array_equal(found.support.x, wanted.support.x)
    classes = origins(found.support)[0]
    assert all(len(set(task.tolist())) == 4 for task in classes), "four classes, none of them twice"
    assert (classes % 2 == classes[:, :1] % 2).all()
    assert set((classes[:, 0] % 2).tolist()) == {0, 1}, "both groups are drawn"


def test_groups_too_small_for_the_ways_are_passed_over():
    groups = np.array([0] * 8 + [1] * 3 + [2])
    batch = draw(Episodes(marked(), ways=4, shots=1, queries=1, groups=groups), jax.random.key(0))
    assert (origins(batch.support)[0] < 8).all()


@given(names, seeds)
def test_the_same_key_gives_the_same_task(name, seed):
    once, again, other = (
        draw(SAMPLERS[name], jax.random.key(s)) for s in (seed, seed, (seed + 1) % 2**32)
    )
    assert eqx.tree_equal(once, again)
    assert not eqx.tree_equal(once, other)


def test_jit_vmap_scan_and_a_plain_loop_agree():
    tasks, key = SAMPLERS["uneven"], jax.random.key(3)
    batch = draw(tasks, key)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(50))
    _, scanned = jax.jit(
        lambda keys: jax.lax.scan(lambda _, k: (None, tasks.sample(k)), None, keys)
    )(keys)
    assert eqx.tree_equal(batch, jax.device_get(scanned))
    alone = tasks.sample(keys[7])
    assert eqx.tree_equal(jax.tree.map(lambda a: a[7], batch), jax.device_get(alone))


def test_tasks_do_not_depend_on_the_number_of_devices():
    tasks, key = SAMPLERS["grouped"], jax.random.key(4)
    mesh = jax.make_mesh((2,), ("tasks",), axis_types=(jax.sharding.AxisType.Auto,))
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(50))
    sharded = jax.jit(
        jax.shard_map(jax.vmap(tasks.sample), mesh=mesh, in_specs=P("tasks"), out_specs=P("tasks"))
    )(keys)
    assert eqx.tree_equal(jax.device_get(sharded), draw(tasks, key))


def p_value(counts, share):
    """Of a χ² test that counts are uniform, each draw without replacement taking `share`."""
    counts = np.asarray(counts, float)
    n, mean = counts.size, counts.mean()
    # Without replacement each count's variance is smaller by 1 − share.
    statistic = ((counts - mean) ** 2).sum() / mean / (1 - share) * (n - 1) / n
    return scipy.stats.chi2.sf(statistic, n - 1)


def test_classes_labels_and_items_are_uniform():
    tasks = SAMPLERS["one of each"]
    batch = draw(tasks, jax.random.key(0), 6000)
    classes, items = origins(batch.support)
    assert p_value(np.bincount(classes.ravel(), minlength=CLASSES), tasks.ways / CLASSES) > 1e-3
    labels = np.asarray(batch.support.y)
    with_label = np.zeros((CLASSES, tasks.ways))
    np.add.at(with_label, (classes.ravel(), labels.ravel()), 1)
    assert p_value(with_label[0], 0) > 1e-3, "class 0 prefers a label"
    assert p_value(np.bincount(items.ravel(), minlength=ITEMS), 0) > 1e-3
    assert p_value(np.bincount(labels[:, 0], minlength=tasks.ways), 0) > 1e-3, "not shuffled"


def test_the_uniformity_test_can_fail():
    rng = np.random.RandomState(0)
    slightly_biased = np.minimum(rng.randint(0, CLASSES + 1, 18_000), CLASSES - 1)
    assert p_value(np.bincount(slightly_biased), 0) < 1e-6


def test_draw_distinct_takes_every_ordered_choice_equally_often():
    keys = jax.random.split(jax.random.key(1), 12_000)
    drawn = jax.jit(jax.vmap(partial(draw_distinct, k=3), (0, None)))(keys, jnp.asarray(4))
    outcomes, counts = np.unique(np.asarray(drawn), axis=0, return_counts=True)
    assert outcomes.tolist() == sorted(map(list, itertools.permutations(range(4), 3)))
    assert p_value(counts, 0) > 1e-3


@given(st.integers(1, 8), st.integers(0, 10_000), seeds)
def test_draw_distinct_stays_in_range(k, more, seed):
    drawn = np.asarray(draw_distinct(jax.random.key(seed), jnp.asarray(k + more), k))
    assert len(set(drawn.tolist())) == k
    assert drawn.min() >= 0
    assert drawn.max() < k + more


def test_rotations_are_new_classes():
    tasks = Episodes(marked(3), ways=12, shots=1, queries=1, turns=4)
    assert tasks.classes == 12
    task = tasks.sample(jax.random.key(0))
    pixels = np.rint(np.asarray(task.support.x[..., 0]) * 255).astype(int)
    # The marker 200 stands at the lower left; a quarter turn moves it to the next corner.
    corner = (pixels.reshape(12, 4) == 200).argmax(1)
    turned = [[2, 3, 1, 0].index(c) for c in corner]
    character = [np.rot90(p, -k)[0, 0] for p, k in zip(pixels, turned, strict=True)]
    assert len(set(zip(character, corner, strict=True))) == 12
    order = np.argsort(task.support.y), np.argsort(task.query.y)
    queries = np.rint(np.asarray(task.query.x[..., 0]) * 255).reshape(12, 4)
    assert (corner[order[0]] == (queries == 200).argmax(1)[order[1]]).all()


def test_a_class_turns_as_one_in_support_and_query():
    tasks = Episodes(marked(), ways=4, shots=2, queries=3, transform=ClassTurns())
    batch = draw(tasks, jax.random.key(2))
    corners = []
    for examples in (batch.support, batch.query):
        flat = np.rint(np.asarray(examples.x).reshape(50, -1, 4) * 255)
        corner = (flat == 200).argmax(2)
        of_class = np.full((50, 4), -1)
        np.put_along_axis(of_class, np.asarray(examples.y), corner, 1)
        assert (np.take_along_axis(of_class, np.asarray(examples.y), 1) == corner).all()
        corners.append(of_class)
    assert (corners[0] == corners[1]).all()
    assert p_value(np.bincount(corners[0].ravel(), minlength=4), 0) > 1e-3


def test_images_are_scaled_and_get_a_channel():
    task = Episodes(np.full((3, 2, 5, 4), 255, np.uint8), ways=2, shots=1, queries=1).sample(
        jax.random.key(0)
    )
    assert task.support.x.shape == (2, 5, 4, 1)
    assert task.support.x.dtype == jnp.float32
    assert task.support.y.dtype == jnp.int32
    assert (task.support.x == 1).all()
    coloured = Episodes(np.zeros((3, 2, 5, 4, 3), np.uint8), ways=2, shots=1, queries=1)
    assert coloured.sample(jax.random.key(0)).query.x.shape == (2, 5, 4, 3)


def test_features_pass_unchanged():
    features = np.random.RandomState(0).randn(3, 2, 8).astype(np.float32)
    task = Episodes(features, ways=3, shots=1, queries=1).sample(jax.random.key(0))
    assert {tuple(r) for r in task.support.x.tolist()} <= {
        tuple(r) for r in features.reshape(-1, 8).tolist()
    }


def test_with_shape_changes_and_checks():
    wider = SAMPLERS["even"].with_shape(ways=6, queries=1)
    assert (wider.ways, wider.shots, wider.queries) == (6, 2, 1)
    with pytest.raises(BadInput, match="13-way"):
        SAMPLERS["even"].with_shape(ways=13)


IMAGES = marked()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ways": 13}, "at least 13 classes; there are 12"),
        ({"ways": 0}, "ways is 0; give a whole number of 2 or more"),
        (
            {"ways": 1},
            "ways is 1; give a whole number of 2 or more: of one class alone every answer is right",
        ),
        ({"shots": 7}, "7 shots \\+ 1 queries need 8 items per class, but class 0 has 7"),
        ({"counts": UNEVEN, "shots": 4}, "class 1 has 4"),
        ({"counts": UNEVEN + 1}, "counts go up to 8"),
        ({"counts": UNEVEN[1:]}, "11 counts for 12 classes"),
        ({"groups": np.arange(12) % 6, "ways": 3}, "the largest has 2"),
        ({"turns": 3}, "turns is 3"),
        ({"images": IMAGES.astype(np.int32)}, "int32"),
        ({"images": IMAGES[0]}, "shape"),
    ],
)
def test_what_cannot_work_is_refused(settings, message):
    given = {"images": IMAGES, "ways": 2, "shots": 1, "queries": 1} | settings
    with pytest.raises(BadInput, match=message):
        Episodes(**given)


def test_a_class_with_too_few_items_is_named():
    data = ImageClasses.of({"cat": np.zeros((5, 4, 4)), "dog": np.zeros((2, 4, 4))})
    with pytest.raises(BadInput, match="'dog' has 2"):
        Episodes.of(data, ways=2, shots=1, queries=2)
