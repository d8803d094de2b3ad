"""Methods that compile once: they compute what they did, and nothing is kept that grows."""

import contextlib
import functools
import gc
import importlib.util
import sys
import weakref

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy import compiling
from quickstudy.compiling import Closure, compiled_once
from quickstudy.tasks.transforms import ClassTurns, Warp
from references.compilations import compilations

ONES = jnp.ones(3)


def total(x):
    """A loop whose body is a fresh function in every call."""
    return jax.lax.scan(lambda so_far, x_t: (so_far + x_t, None), 0.0 * x[0], x)[0]


@compiled_once
def times(w, x):
    return w * total(x)


def kept():
    return compiling._program.cache_info().currsize


def test_the_second_call_of_a_shape_compiles_nothing():
    assert times(2.0, ONES) == 6.0
    others = [jnp.full(3, x, jnp.float32) for x in (2.0, 3.0)]
    with compilations() as compiled:
        found = [times(2.0, x) for x in others]
    assert not compiled
    assert found == [12.0, 18.0]


def test_a_loop_that_is_not_compiled_once_compiles_at_every_call():
    x = jnp.arange(3.0)
    total(x)
    with compilations() as compiled:
        total(x)
    assert compiled


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        ((2.0, jnp.ones(4)), 8.0),
        ((3.0, ONES), 9.0),
        ((2, jnp.ones(3, int)), 6),
        ((jnp.float32(2), ONES), 6.0),
    ],
)
def test_another_shape_type_or_number_is_another_program(other, wanted):
    times(2.0, ONES)
    found = times(*other)
    assert found == wanted
    assert found.dtype == (other[0] * total(other[1])).dtype


@pytest.mark.parametrize(
    "inside",
    [
        lambda: jax.jit(times, static_argnums=0)(2.0, ONES),
        lambda: jax.vmap(times, (None, 0))(2.0, ONES[None]),
        lambda: jax.grad(lambda x: times(2.0, x) + times(2.0, ONES))(jnp.zeros(3)),
        lambda: jax.eval_shape(lambda: times(2.0, ONES)),
    ],
)
def test_inside_a_transformation_it_runs_as_it_is(inside):
    compiling._program.cache_clear()
    inside()
    assert kept() == 0


def test_without_jit_it_runs_as_it_is():
    seen = []
    spy = compiled_once(lambda x: seen.append(x) or x)
    with jax.disable_jit():
        spy(ONES)
    assert seen[0] is ONES


def test_what_jit_imports_first_is_compiled_outside_all_the_same(monkeypatch):
    def load(x):
        spec = importlib.util.spec_from_file_location("imported_inside", compiling.__file__)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        modules.append(module)
        return x

    modules = []
    jax.jit(load)(1.0)
    modules[0].compiled_once(total)(ONES)
    assert modules[0]._program.cache_info().currsize == 1


def test_code_that_looks_at_numbers_runs_as_it_is():
    @compiled_once
    def chosen(x):
        return np.asarray(x) if x[0] > 0 else -x

    assert isinstance(chosen(ONES), np.ndarray)
    assert chosen(-ONES).tolist() == [1, 1, 1]


class Settings(eqx.Module):
    """A static field that can change, and one that cannot be hashed otherwise."""

    scale: object = eqx.field(static=True)

    @compiled_once
    def __call__(self, x):
        return self.scale["by"] * x


def test_static_fields_that_may_change_are_not_compiled_in():
    settings = {"by": 1.0}
    times = Settings(settings)
    assert float(times(1.0)) == 1.0
    settings["by"] = 2.0
    assert float(times(1.0)) == 2.0


def test_arrays_in_numpy_and_in_float64():
    assert times(2.0, np.ones(3)).dtype == jnp.float32
    with jax.enable_x64(True):
        assert times(2.0, np.ones(3)).dtype == jnp.float64
    assert compiled_once(lambda names, x: x)(np.array(["a", "b"]), ONES) is ONES


def test_arguments_are_passed_on_and_not_copied():
    @compiled_once
    def parts(tree, key):
        more = tree["x"] + jax.random.uniform(key)
        return {"same": tree["x"], "more": more, "again": more, "name": "x", "no": None}

    compiling._program.cache_clear()
    x = np.ones(3, np.float32)
    for _ in range(2):
        found = parts({"x": x}, jax.random.key(0))
        assert found["same"] is x
        assert found["again"] is found["more"]
        assert (found["name"], found["no"]) == ("x", None)
    assert kept() == 1


def answers(w, x):
    """A function of each kind that closes over arrays."""
    scaled = 2 * w

    def inner(y):
        return y + scaled

    class Static(eqx.Module):
        function: object = eqx.field(static=True)

        def __call__(self, y):
            return self.function(y)

    def recursive(y, depth=2):
        return y + scaled if depth == 0 else recursive(y, depth - 1)

    return {
        "closure": lambda y: total(jnp.broadcast_to(y + scaled, (1, *y.shape))),
        "closure in a closure": lambda y: inner(y),
        "defaults": lambda y, scaled=scaled: y + scaled,
        "keywords": lambda y, *, scaled=scaled: y + scaled,
        "mapped": jax.vmap(inner),
        "compiled": jax.jit(inner),
        "partial": functools.partial(jnp.add, scaled),
        "leaf of a partial": jax.tree_util.Partial(jnp.add, scaled),
        "function of a partial": jax.tree_util.Partial(inner),
        "static": Static(inner),
        "recursive": recursive,
        "list": [inner, x],
    }


CLOSED = {"closure", "closure in a closure", "defaults", "keywords", "mapped"}


@pytest.mark.parametrize("kind", answers(1.0, 2.0))
def test_functions_over_arrays_come_out(kind):
    answering = compiled_once(lambda w, x: answers(w, x)[kind])
    for w in (1.0, 2.0):
        # The others are found out by what they would leak.
        with jax.checking_leaks() if kind in CLOSED else contextlib.nullcontext():
            found = answering(jnp.array(w), ONES)
        found = found[0] if kind == "list" else found
        assert isinstance(found, Closure) == (kind in CLOSED | {"list"})
        assert found(ONES).tolist() == [1 + 2 * w] * 3


@pytest.mark.parametrize("kind", sorted(CLOSED))
def test_closures_compile_once_and_are_pytrees(kind):
    answering = compiled_once(lambda w, x: answers(w, x)[kind])
    answering(jnp.array(1.0), ONES)(ONES)
    numbers = [jnp.array(i) for i in (2.0, 3.0)]
    with compilations() as compiled:
        found = [answering(w, ONES) for w in numbers]
        for one in found:
            one(ONES)
    assert not compiled
    arrays, rest = zip(*(eqx.partition(one, eqx.is_array) for one in found), strict=True)
    both = eqx.combine(jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays), rest[0])
    assert eqx.filter_vmap(lambda one: one(ONES))(both)[:, 0].tolist() == [5.0, 7.0]


def test_errors_are_raised_plainly():
    @compiled_once
    def refuse(x):
        raise qs.BadInput("no")

    with pytest.raises(qs.BadInput, match=r"^no$") as raised:
        refuse(ONES)
    assert not hasattr(raised.value, "__notes__")
    assert raised.value.__context__ is None


@jax.tree_util.register_static
class Large:
    """Stands for images on the host, which are compiled in."""


def test_what_is_kept_is_bounded():
    program = compiled_once(lambda large, x: x + 1)
    first = Large()
    gone = weakref.ref(first)
    program(first, 1.0)
    del first
    others = [Large() for _ in range(compiling.PROGRAMS)]
    for other in others:
        program(other, 1.0)
    gc.collect()
    assert kept() == compiling.PROGRAMS
    assert gone() is None


def test_calls_leave_nothing_behind():
    times(2.0, ONES)
    gc.collect()
    before = len(jax.live_arrays())
    for _ in range(100):
        times(2.0, ONES)
    gc.collect()
    assert len(jax.live_arrays()) == before


IMAGES = np.random.default_rng(0).integers(0, 256, (9, 6, 8, 8), np.uint8)
FEATURES = np.random.default_rng(0).normal(size=(9, 6, 2)).astype(np.float32)
SHAPE = {"ways": 3, "shots": 2, "queries": 1}
UNEVEN = {"counts": [3, 4, 5, 6, 6, 6, 6, 6, 6], "groups": [0, 0, 0, 0, 1, 1, 1, 1, 1]}

TASKS = {
    "features": lambda: qs.Episodes(FEATURES, **SHAPE),
    "images": lambda: qs.Episodes(IMAGES, **SHAPE, **UNEVEN, turns=4, names=tuple("abcdefghi")),
    "turned": lambda: qs.Episodes(IMAGES, **SHAPE, transform=ClassTurns()),
    "warped": lambda: qs.Episodes(IMAGES, **SHAPE, transform=Warp()),
    "on the host": lambda: qs.Episodes(qs.HostImages(IMAGES), **SHAPE),
    "varying": lambda: qs.Varying(qs.Episodes(FEATURES, **SHAPE)),
    "all classes": lambda: qs.AllClasses(qs.Episodes(IMAGES, **SHAPE, turns=4), batch=5),
    "sinusoid": lambda: qs.Sinusoid(),
    "glyphs": lambda: qs.glyphs("test"),
}


def demand_one_compilation(tasks):
    """Everything that draws compiles at its first call only, and draws what it did before."""
    drawing = [tasks.sample, lambda key: qs.sample_batch(tasks, key, 2)]
    if hasattr(tasks, "truth"):
        drawing.append(lambda key: tasks.truth(key)(tasks.sample(key).query.x))
    keys = [jax.random.key(i) for i in range(2)]
    for draw in drawing:
        draw(keys[0])
        with compilations() as compiled:
            found = draw(keys[1])
        assert not compiled
        wanted = eqx.filter_jit(draw)(keys[1])
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", TASKS)
def test_tasks_are_drawn_by_one_program(name):
    demand_one_compilation(TASKS[name]())


def test_omniglot_is_drawn_by_one_program(omniglot_data):
    demand_one_compilation(
        qs.omniglot("snell2017", "test", data=omniglot_data, ways=5, shots=1, queries=1)
    )


class Endless:
    """Answers every name with another object like it, as mocks and loggers do."""

    def __getattr__(self, name):
        return Endless()


def test_objects_without_end_are_not_looked_through():
    endless = Endless()

    @compiled_once
    def scaled(x):
        return lambda y: (x * y, endless)[0]

    assert scaled(jnp.ones(2))(3.0).tolist() == [3.0, 3.0]
