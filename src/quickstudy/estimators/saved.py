"""An estimator as one file: safetensors with a JSON header, read without running anything in it.

This module does not import JAX.
"""

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from quickstudy.errors import CheckpointError
from quickstudy.writing import write_atomically

HEADER = "quickstudy.estimator"
FORMAT = 1
FINDS = (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What reading a file that is damaged, or no such file, raises."""


def write(path: Path, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write the file, whole or not at all.

    Args:
        path: the file; an older one is replaced.
        arrays: by name.
        header: JSON-serialisable, without numbers that are not finite.

    Raises:
        CheckpointError: it cannot be written; the old file is untouched.
    """
    own = {"format": FORMAT, "quickstudy": importlib.metadata.version("quickstudy"), **header}
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    # The checksum is of the text: two texts of one number would have the same value.
    text = json.dumps(own, sort_keys=True, allow_nan=False)
    whole = json.dumps({"checksum": _checksum(arrays, text), "estimator": text}, sort_keys=True)
    write_atomically(path, save(arrays, metadata={HEADER: whole}))


def read(path: Path, kind: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the header.

    Args:
        path: the file.
        kind: which estimator it must hold.

    Raises:
        CheckpointError: missing, damaged, changed, of another kind, or of a later format.
    """
    try:
        with safe_open(path, "numpy") as file:
            whole = json.loads((file.metadata() or {})[HEADER])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        right = _checksum(arrays, whole["estimator"]) == whole["checksum"]
        header = json.loads(whole["estimator"])
        found, version = header["kind"], header["format"]
    except FINDS as error:
        raise CheckpointError(
            f"{path} cannot be read as a saved estimator ({_short(error)}); give a file that "
            f"{kind}.save wrote"
        ) from error
    if not right:
        raise CheckpointError(
            f"{path} is damaged or was changed (its checksum is wrong); copy it again from where "
            "it was saved, or fit and save again"
        )
    if version != FORMAT:
        raise CheckpointError(
            f"{path} has the format {version}, written by quickstudy {header.get('quickstudy')}, "
            f"and this version reads {FORMAT}; install that version of quickstudy"
        )
    if found != kind:
        raise CheckpointError(f"{path} holds a {found}; load it by {found}.load")
    return arrays, header


def _checksum(arrays: dict[str, np.ndarray], header: str) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _short(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return str(error) or type(error).__name__
