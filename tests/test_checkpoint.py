"""Checkpoints: whole or not at all, bit for bit, and never a pickle."""

import ast
import errno
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.checkpoint import Checkpoints, load_arrays, read_recipe, save_arrays
from quickstudy.errors import CheckpointError

RECIPE = {"recipe": "mine", "ways": 5, "inner_lr": 0.4, "filters": [64, 64]}
STATE = {"w": jnp.arange(6.0).reshape(2, 3), "count": jnp.array(3), "name": "not an array"}
ZEROS = {"w": jnp.zeros((2, 3)), "count": jnp.array(0), "name": "kept as it is here"}

WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
SMALL = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]
TYPES = ["bool", *WHOLE, "float16", "float32", "float64", *SMALL, "complex64"]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.safetensors"


def saved_steps(folder, steps=(1, 2, 3), keep=3):
    checkpoints = Checkpoints(folder, RECIPE, keep=keep)
    for step in steps:
        checkpoints.save(step, {**STATE, "count": jnp.array(step)})
    return checkpoints


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_comes_back_bit_for_bit(file, dtype):
    with jax.enable_x64(True):
        bits = np.random.default_rng(0).integers(0, 256, (3, 16), np.uint8)
        if dtype == "bool":
            bits = bits % 2
        whole = jnp.asarray(bits.view(jnp.dtype(dtype)))
        tree = {"many": whole, "one": whole[0, 0], "none": whole[:0]}
        save_arrays(file, tree, RECIPE)
        found = load_arrays(file, jax.tree.map(jnp.zeros_like, tree), RECIPE)
    for name, array in tree.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.asarray(found[name]).tobytes() == np.asarray(array).tobytes()


def test_not_a_number_and_infinity_come_back(file):
    save_arrays(file, {"x": jnp.array([jnp.nan, jnp.inf, -0.0])}, {})
    found = np.asarray(load_arrays(file, {"x": jnp.zeros(3)})["x"])
    assert np.isnan(found[0])
    assert np.isinf(found[1])
    assert np.signbit(found[2])


def test_arrays_that_are_not_row_major(file):
    tree = {"transposed": np.arange(6.0, dtype=np.float32).reshape(2, 3).T}
    save_arrays(file, tree, {})
    found = load_arrays(file, {"transposed": jnp.zeros((3, 2))})
    np.testing.assert_array_equal(found["transposed"], tree["transposed"])


def test_random_keys_go_on_where_they_were(file):
    save_arrays(file, {"key": jax.random.key(7)}, {})
    found = load_arrays(file, {"key": jax.random.key(0)})["key"]
    assert jax.random.bits(found) == jax.random.bits(jax.random.key(7))


def test_learners_and_optimiser_states(file):
    learner = qs.MAML(qs.MLP(1, (4, 1), key=jax.random.key(0)), loss=qs.squared_error)
    blank = jax.tree.map(jnp.zeros_like, learner)
    save_arrays(file, learner, RECIPE)
    assert eqx.tree_equal(load_arrays(file, blank, RECIPE), learner)
    assert read_recipe(file) == RECIPE


def test_leaves_that_are_no_arrays_stay(file):
    save_arrays(file, STATE, RECIPE)
    found = load_arrays(file, ZEROS)
    assert found["name"] == ZEROS["name"]
    np.testing.assert_array_equal(found["w"], STATE["w"])


def test_equal_states_are_equal_files(file, tmp_path):
    other = tmp_path / "other.safetensors"
    for path in (file, other):
        save_arrays(path, STATE, RECIPE)
    assert file.read_bytes() == other.read_bytes()


def imported(source):
    """The names of the modules a file imports (a message may name one without importing it)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


# What a process says to the workers that it started itself, and never a file.
BETWEEN_OWN_PROCESSES = {"envs/channel.py", "envs/worker.py", "envs/workers.py"}

COMPARES = "testing/paths.py"
"""Writes a task to memory before and after an episode, and never reads it back."""

READER = "features/torch_file.py"
"""Reads weights that were published as a pickle; its tests hold that it calls no other name."""


def test_no_file_is_a_pickle():
    """Read as syntax: an error prints the command that converts a pickle, which imports nothing."""
    package = Path(qs.__file__).parent
    unsafe = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in package.rglob("*.py"):
        source = path.read_text()
        if path.relative_to(package).as_posix() not in {*BETWEEN_OWN_PROCESSES, COMPARES, READER}:
            assert not unsafe & {name.split(".")[0] for name in imported(source)}, path
        assert "allow_pickle=True" not in source, path


# Damage.


def test_every_flipped_byte_is_noticed(tmp_path):
    """Each byte of a small file, header and recipe too."""
    checkpoints = saved_steps(tmp_path, steps=(1,))
    path, whole = checkpoints.path(1), checkpoints.path(1).read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        with pytest.raises(CheckpointError, match="damaged"):
            checkpoints.restore(ZEROS)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.99])
def test_truncated_file_falls_back_to_the_one_before(tmp_path, caplog, share):
    checkpoints = saved_steps(tmp_path)
    newest = checkpoints.path(3)
    data = newest.read_bytes()
    newest.write_bytes(data[: int(share * len(data))])
    with caplog.at_level(logging.WARNING, "quickstudy"):
        step, state = checkpoints.restore(ZEROS)
    assert (step, int(state["count"])) == (2, 2)
    assert str(newest) in caplog.text
    assert "damaged" in caplog.text


def test_falls_back_twice(tmp_path, caplog):
    checkpoints = saved_steps(tmp_path)
    for step in (2, 3):
        checkpoints.path(step).write_bytes(b"noise")
    assert checkpoints.restore(ZEROS)[0] == 1
    assert caplog.text.count("is damaged") == 2


def test_all_damaged(tmp_path):
    checkpoints = saved_steps(tmp_path, steps=(1,))
    checkpoints.path(1).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"every checkpoint in .* is damaged"):
        checkpoints.restore(ZEROS)


def test_damaged_export_is_named(file):
    save_arrays(file, STATE, RECIPE)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=re.escape(str(file)) + ".* damaged"):
        load_arrays(file, ZEROS)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 100, b"\x02" + bytes(7) + b"{}"])
def test_not_a_file_of_ours(file, content):
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read as a quickstudy file"):
        read_recipe(file)


def test_missing(file, tmp_path):
    with pytest.raises(CheckpointError, match="No such file"):
        load_arrays(file, ZEROS)
    assert Checkpoints(tmp_path / "nothing", RECIPE).restore(ZEROS) is None


# Other recipes, other programs.


def test_other_recipe_names_the_difference(tmp_path):
    saved_steps(tmp_path)
    other = Checkpoints(tmp_path, {**RECIPE, "ways": 20})
    with pytest.raises(CheckpointError, match="ways is 5 there and 20 here") as error:
        other.restore(ZEROS)
    assert "inner_lr" not in str(error.value)


def test_other_structure_names_the_array(file):
    save_arrays(file, STATE, RECIPE)
    with pytest.raises(CheckpointError, match=r"'w'.*float32\[2, 3\].*float32\[9\]"):
        load_arrays(file, {**ZEROS, "w": jnp.zeros(9)})
    with pytest.raises(CheckpointError, match=r"'more'.* missing in the file"):
        load_arrays(file, {**ZEROS, "more": jnp.zeros(1)})


def test_numpy_s_double_precision_leaves_training_as_single(file):
    """A learner of one's own may hold arrays of NumPy, which `jit` makes JAX's."""
    learner = {"w": np.arange(3.0), "n": np.arange(3)}
    trained = jax.jit(lambda tree: tree)(learner)
    save_arrays(file, trained, RECIPE)
    found = load_arrays(file, learner)
    assert (found["w"].dtype, found["n"].dtype) == (jnp.float32, jnp.int32)
    assert found["w"].tolist() == [0, 1, 2]
    save_arrays(file, learner, RECIPE)
    assert load_arrays(file, learner)["w"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("kind", "other"), [("float64", 0), ("float32", 1)])
def test_another_precision_of_jax_is_told(file, kind, other):
    """Its version is not to blame, but JAX_ENABLE_X64."""
    save_arrays(file, {"w": np.ones(3, kind)}, RECIPE)
    program = (
        "import numpy, sys, jax.numpy as jnp\n"
        "from pathlib import Path\n"
        "from quickstudy.checkpoint import load_arrays\n"
        "load_arrays(Path(sys.argv[1]), {'w': jnp.zeros(3)})\n"
    )
    environment = {**os.environ, "JAX_ENABLE_X64": str(other)}
    ended = subprocess.run(
        [sys.executable, "-c", program, file], env=environment, capture_output=True, text=True
    )
    assert f"it was written with JAX_ENABLE_X64={1 - other}; set that" in ended.stderr


def test_recipes_are_compared_as_json(file):
    save_arrays(file, STATE, {"sizes": (1, 2)})
    load_arrays(file, ZEROS, {"sizes": (1, 2)})


# Writing.


def test_the_last_few_are_kept(tmp_path):
    checkpoints = saved_steps(tmp_path, steps=(5, 10, 15, 100), keep=2)
    assert checkpoints.steps() == [100, 15]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "step-00000015.safetensors",
        "step-00000100.safetensors",
    ]


def test_what_a_killed_process_left_is_cleared(tmp_path):
    (tmp_path / ".step-00000002.safetensors.abc.partial").write_bytes(b"half")
    checkpoints = saved_steps(tmp_path, steps=(1,))
    assert checkpoints.restore(ZEROS)[0] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001.safetensors"]


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_keeps_the_checkpoints(tmp_path, monkeypatch):
    checkpoints = saved_steps(tmp_path, steps=(1, 2, 3), keep=3)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(CheckpointError, match="No space left"):
            checkpoints.save(4, STATE)
    assert checkpoints.steps() == [3, 2, 1]


def test_folder_that_cannot_be_made(tmp_path):
    """A file stands where the folder should be; so even root may not write."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with pytest.raises(CheckpointError, match="could not make"):
        Checkpoints(blocked / "checkpoints", RECIPE).save(1, STATE)
    with pytest.raises(CheckpointError, match="could not write"):
        save_arrays(blocked / "state.safetensors", STATE, RECIPE)


def test_header_is_plain_json(file):
    """Any safetensors reader can open the file and find the recipe."""
    save_arrays(file, STATE, RECIPE)
    data = file.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["quickstudy"])["recipe"] == RECIPE
    assert header["['w']"]["shape"] == [2, 3]
