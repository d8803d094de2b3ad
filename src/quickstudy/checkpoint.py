"""Checkpoints: one safetensors file each, written whole or not at all, and never a pickle.

A file holds the array leaves of a pytree under their paths, and in its header the recipe, a
checksum of the contents and, of a policy, what it acts in.
"""

import hashlib
import json
import logging
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from quickstudy.errors import CheckpointError
from quickstudy.recorded import planned_steps, with_steps
from quickstudy.writing import write_atomically

log = logging.getLogger(__name__)

# One entry, not two: safetensors writes its entries in no fixed order, and equal learners shall
# be equal files.
HEADER = "quickstudy"

# The format's names of types; safetensors' own NumPy reader knows no bfloat16 and no float8.
TYPES: dict[str, Any] = {
    "BOOL": np.bool_,
    "C64": np.complex64,
    "BF16": jnp.bfloat16,
    "F8_E4M3": jnp.float8_e4m3fn,
    "F8_E5M2": jnp.float8_e5m2,
} | {
    f"{letter}{bits}": np.dtype(f"{kind}{bits}")
    for letter, kind in (("I", "int"), ("U", "uint"), ("F", "float"))
    for bits in (8, 16, 32, 64)
    if (letter, bits) != ("F", 8)
}


def save_arrays(path: Path, tree: PyTree, recipe: dict[str, Any]) -> None:
    """Write the array leaves of `tree`, with the recipe in the header.

    Args:
        path: the file.
        tree: any pytree; leaves that are no arrays are not written. Of a policy, its `interface`
            is.
        recipe: JSON-serialisable; `load_arrays` can demand the same one.

    Example:
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
        >>> save_arrays(file, {"w": jnp.arange(3)}, {"name": "mine"})
        >>> load_arrays(file, {"w": jnp.zeros(3, int)})["w"].tolist()
        [0, 1, 2]
    """
    arrays, told = dict(_named_arrays(tree)), {"recipe": recipe}
    if (interface := getattr(tree, "interface", None)) is not None:
        told["interface"] = interface.to_json()
    # Sorted, so that equal settings make equal files whatever their order.
    header = json.dumps({"checksum": _checksum(arrays, told), **told}, sort_keys=True)
    write_atomically(path, save(arrays, metadata={HEADER: header}))


def read_recipe(path: Path) -> dict[str, Any]:
    """The recipe in the header of a file that `save_arrays` wrote; reads no array.

    Raises:
        CheckpointError: the file is missing, damaged, or has no such header.
    """
    return read_told(path)["recipe"]


def read_told(path: Path) -> dict[str, Any]:
    """All that the header tells: the recipe, and the interface of a policy; reads no array.

    Raises:
        CheckpointError: the file is missing, damaged, or has no such header.
    """
    try:
        with open(path, "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            # safetensors' own limit of a header: a damaged length must not ask for gigabytes.
            if size > min(path.stat().st_size, 100_000_000):
                raise ValueError("header longer than the file")
            header = _header(file.read(size))
            return {"recipe": header["recipe"], "interface": header.get("interface")}
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise CheckpointError(
            f"{path} cannot be read as a quickstudy file ({error}); give a file that quickstudy "
            "wrote"
        ) from error


def load_arrays(path: Path, like: PyTree, recipe: dict[str, Any] | None = None) -> PyTree:
    """The pytree `like` with its array leaves read from the file.

    Args:
        path: a file of `save_arrays`.
        like: gives the structure; its arrays' shapes and types must be the file's.
        recipe: if given, the header must hold the same one.

    Raises:
        CheckpointError: missing, damaged, of another recipe, or of another structure.
    """
    found = read_recipe(path)
    # As JSON has it, where a tuple has become a list.
    if recipe is not None and found != json.loads(json.dumps(recipe)):
        raise CheckpointError(
            f"{path} belongs to another recipe ({_difference(found, recipe)}); resume with the "
            "settings it was trained with, or start a new run"
        )
    arrays = _read(path)
    wanted = dict(_named_arrays(like))
    for name in sorted(wanted.keys() | arrays.keys()):
        here, there = wanted.get(name), arrays.get(name)
        if here is None or there is None or not _fits(there, here):
            if here is not None and there is not None and _differ_in_precision(there, here):
                raise CheckpointError(
                    f"{path} has {_describe(there)} where this program has {_describe(here)}: it "
                    f"was written with JAX_ENABLE_X64={int(there.dtype.itemsize == 8)}; set that"
                )
            raise CheckpointError(
                f"{path} does not fit this program: {name} is {_describe(there)} in the file and "
                f"{_describe(here)} here; use the code that wrote it: the version of quickstudy "
                "named in the run's folder, and files of your own as they were then"
            )
    return jax.tree_util.tree_map_with_path(
        lambda p, leaf: _as_leaf(arrays.get(jax.tree_util.keystr(p)), leaf), like
    )


class Checkpoints:
    """The last few checkpoints of a run, newest first, in a folder of their own.

    Args:
        folder: made if missing.
        recipe: goes into each header, and is demanded back.
        keep: how many to keep.
    """

    def __init__(self, folder: Path, recipe: dict[str, Any], *, keep: int = 3):
        self.folder, self.recipe, self.keep = folder, recipe, keep

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, newest first."""
        names = (re.fullmatch(r"step-(\d+)\.safetensors", p.name) for p in self._files())
        return sorted((int(name[1]) for name in names if name), reverse=True)

    def path(self, step: int) -> Path:
        """The file of that step."""
        return self.folder / f"step-{step:08d}.safetensors"

    def save(self, step: int, state: PyTree) -> Path:
        """Write the state of that step, then remove all but the last `keep`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"could not make {self.folder}: {error.strerror}") from error
        save_arrays(self.path(step), state, self.recipe)
        for old in self.steps()[self.keep :]:
            self.path(old).unlink(missing_ok=True)
        for partial in self.folder.glob(".*.partial"):  # of a process that was killed
            partial.unlink(missing_ok=True)
        return self.path(step)

    def restore(self, like: PyTree) -> tuple[int, PyTree] | None:
        """The newest step that can be read, and its state; `None` if there is no checkpoint.

        A damaged checkpoint is passed over, with a warning that names it.

        Raises:
            CheckpointError: another recipe's, or all are damaged. One of fewer steps is the same.
        """
        steps = self.steps()
        for step in steps:
            if (damage := _damage(self.path(step))) is None:
                return step, load_arrays(self.path(step), like, self._wanted(self.path(step)))
            log.warning("%s is damaged (%s); trying the one before", self.path(step), damage)
        if steps:
            raise CheckpointError(
                f"every checkpoint in {self.folder} is damaged; start a new run with train"
            )
        return None

    def _wanted(self, path: Path) -> dict[str, Any]:
        """The recipe with as many steps as were planned when the file was written."""
        return with_steps(self.recipe, planned_steps(read_recipe(path)))

    def _files(self) -> Iterator[Path]:
        return self.folder.iterdir() if self.folder.is_dir() else iter(())


def _named_arrays(tree: PyTree) -> list[tuple[str, np.ndarray]]:
    """Array leaves as row-major NumPy arrays; a random key becomes the numbers that it is made of.

    Row-major because safetensors writes an array's memory as it lies there.
    """
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [
        (
            jax.tree_util.keystr(path),
            np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf, order="C"),
        )
        for path, leaf in leaves
        if eqx.is_array(leaf)
    ]


def _fits(there: np.ndarray, here: np.ndarray) -> bool:
    """Whether a file's array can stand where the program has this one."""
    # A NumPy array of double precision in a learner leaves training as JAX has it.
    kinds = (here.dtype, jax.dtypes.canonicalize_dtype(here.dtype))
    return there.shape == here.shape and there.dtype in kinds


def _differ_in_precision(there: np.ndarray, here: np.ndarray) -> bool:
    """Whether they would be alike, had JAX run with the same JAX_ENABLE_X64."""
    alike = (there.shape, there.dtype.kind) == (here.shape, here.dtype.kind)
    return alike and {there.dtype.itemsize, here.dtype.itemsize} == {4, 8}


def _as_leaf(array: np.ndarray | None, like: Any) -> Any:
    """The array as what stands in its place in the pytree."""
    if array is None:
        return like
    if _is_key(like):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(like))
    return jnp.asarray(array)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _read(path: Path) -> dict[str, np.ndarray]:
    if damage := _damage(path):
        raise CheckpointError(
            f"{path} is damaged ({damage}); use another checkpoint of the run, or train again"
        )
    return _parse(path.read_bytes())


def _parse(data: bytes) -> dict[str, np.ndarray]:
    return {
        name: np.frombuffer(spec["data"], TYPES[spec["dtype"]]).reshape(spec["shape"])
        for name, spec in deserialize(data)
    }


def _damage(path: Path) -> str | None:
    """What is wrong with the file, or `None`."""
    try:
        data = path.read_bytes()
        (size,) = struct.unpack("<Q", data[:8])
        header = _header(data[8 : 8 + size])
        checksum = header.pop("checksum")
        right = _checksum(_parse(data), header) == checksum
        return None if right else "its checksum is wrong"
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, struct.error) as error:
        return str(error) or type(error).__name__


def _header(raw: bytes) -> dict[str, Any]:
    return json.loads(json.loads(raw)["__metadata__"][HEADER])


def _checksum(arrays: dict[str, np.ndarray], told: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(told["recipe"], sort_keys=True).encode())
    if "interface" in told:  # older files have none
        digest.update(json.dumps(told["interface"], sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        # The bytes alone would be the same in another type or shape.
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    keys = [k for k in sorted(found.keys() | wanted.keys()) if found.get(k) != wanted.get(k)]
    return ", ".join(f"{k} is {found.get(k)!r} there and {wanted.get(k)!r} here" for k in keys)


def _describe(array: Any) -> str:
    return "missing" if array is None else f"{array.dtype}{list(array.shape)}"
