"""Work spread over devices equals the plain loop, whatever the number of devices."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.mesh import map_over_tasks, mean_over_tasks, task_mesh

KEY = jax.random.key(3)
COUNTS = (1, 2, 3, 4, 7)
counts = pytest.mark.parametrize("count", COUNTS)


@pytest.fixture(params=(1, 2))
def devices(request, monkeypatch):
    """One device, or two."""
    monkeypatch.setattr(jax, "device_count", lambda: request.param)
    return request.param


def keys(count):
    return [jax.random.fold_in(KEY, i) for i in range(count)]


def work(arguments, key):
    """Floating-point outputs that depend on the key, on the arguments, and on neither."""
    drawn = jax.random.normal(key, (3,))
    return {"drawn": drawn, "product": drawn @ arguments["w"], "constant": jnp.ones(())}


ARGUMENTS = {"w": jnp.arange(3.0)}


@counts
def test_mean_equals_the_loop(count, devices):
    found = jax.jit(lambda a, k: mean_over_tasks(work, a, k, count))(ARGUMENTS, KEY)
    loop = [work(ARGUMENTS, key) for key in keys(count)]
    wanted = jax.tree.map(lambda *xs: np.mean(xs, 0), *loop)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, wanted)


@counts
def test_map_equals_the_loop(count, devices):
    def whole(arguments, key):
        """Any type of output."""
        return work(arguments, key), jax.random.bits(key, (2,), "uint8"), key

    found = jax.jit(lambda a, k: map_over_tasks(whole, a, k, count))(ARGUMENTS, KEY)
    found, key_data = found[:2], jax.random.key_data(found[2])
    loop = [whole(ARGUMENTS, key)[:2] for key in keys(count)]
    wanted = jax.tree.map(lambda *xs: np.stack(xs), *loop)
    np.testing.assert_array_equal(found[0]["drawn"], wanted[0]["drawn"])
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_allclose(found[0]["product"], wanted[0]["product"], rtol=1e-6)
    np.testing.assert_array_equal(key_data, [jax.random.key_data(key) for key in keys(count)])


@counts
def test_gradient_is_not_multiplied_by_the_number_of_devices(count, devices):
    """d/dw of Σ (w · x)² / n, taken inside, is that of the loop: by hand, 2 w mean(x²)."""

    def gradient(w, key):
        return jax.grad(lambda w: jnp.square(w * jax.random.normal(key)))(w)

    found = jax.jit(lambda w, k: mean_over_tasks(gradient, w, k, count))(jnp.float32(1.5), KEY)
    wanted = 2 * 1.5 * np.mean([jax.random.normal(key) ** 2 for key in keys(count)])
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@counts
def test_gradient_through_the_mean(count, devices):
    """The mean itself can be differentiated from outside."""

    def loss(w, key):
        return jnp.square(w * jax.random.normal(key))

    found = jax.jit(jax.grad(lambda w: mean_over_tasks(loss, w, KEY, count)))(jnp.float32(1.5))
    wanted = 2 * 1.5 * np.mean([jax.random.normal(key) ** 2 for key in keys(count)])
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_every_device_is_used():
    assert task_mesh().size == jax.device_count() == 2


@counts
def test_a_mean_and_a_map_share_one_program(count):
    """Their outputs lie on the same devices, however many tasks each has."""
    mean = mean_over_tasks(lambda w, key: w, jnp.float32(1.5), KEY, count)
    found = jax.jit(lambda w: map_over_tasks(lambda w, key: w, w, KEY, 4))(mean)
    np.testing.assert_allclose(found, np.full(4, 1.5))


def test_tasks_do_not_depend_on_the_number_of_devices(monkeypatch):
    tasks = qs.Sinusoid(shots=2, queries=1)

    def sampled(count):
        monkeypatch.setattr(jax, "device_count", lambda: count)
        return jax.jit(lambda k: map_over_tasks(lambda _, k: tasks.sample(k), (), k, 5))(KEY)

    one, two = sampled(1), sampled(2)
    jax.tree.map(np.testing.assert_array_equal, one, two)
    together = qs.sample_batch(tasks, KEY, 5)
    jax.tree.map(np.testing.assert_array_equal, one, together)


PROGRAM = """
import quickstudy as qs
qs.set_up_devices(1)
import jax
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(jax.jit(lambda x: 2 * x + 1)(3))
"""


def test_a_truncated_entry_of_the_cache_is_compiled_anew(tmp_path):
    environment = {**os.environ, "QUICKSTUDY_CACHE": str(tmp_path)}
    program = [sys.executable, "-W", "error", "-c", PROGRAM]
    for _ in range(2):
        done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
        entries = list((tmp_path / "compiled").glob("*-cache"))
        assert entries
        for entry in entries:
            entry.write_bytes(entry.read_bytes()[:20])
