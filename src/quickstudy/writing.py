"""Files that are written whole or not at all: bytes, and values as JSON."""

import json
import math
from pathlib import Path
from typing import Any

from quickstudy.errors import BadInput, CheckpointError
from quickstudy.files import replacing


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file so that after a crash at any moment either the old or the new one is there.

    Args:
        path: of the file.
        data: text is written as UTF-8. What UTF-8 does not have, as in a folder's name of other
            bytes, becomes an escape, which JSON reads as the same.

    Raises:
        CheckpointError: no permission, or the disk is full; the old file is untouched.
    """
    content = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise CheckpointError(
            f"could not write {path}: {error.strerror or error}; what was there before is "
            "untouched. Free some space or choose another folder"
        ) from error


def demand_files(**given: Path | None) -> None:
    """Refuse names of folders where a file is to be written, and one name for two files, before
    anything is computed for it.

    Args:
        given: paths by the names of their options; `None` where nothing is to be written.

    Raises:
        BadInput: names the option and the folder.
    """
    for option, path in given.items():
        if path is not None and path.is_dir():
            raise BadInput(f"--{option} {path} is a folder; give a file in it, such as {path}/NAME")
    there: dict[Path, str] = {}
    for option, path in given.items():
        if path is not None and (first := there.setdefault(path.absolute(), option)) != option:
            raise BadInput(f"--{first} and --{option} are the same file, {path}; give each its own")


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all.

    Numbers that are not finite become `null`: JSON has no others, and most readers refuse them.
    Lists of numbers and words stand on one line.

    Raises:
        CheckpointError: no permission, or the disk is full; the old file is untouched.
    """
    write_atomically(path, f"{json_text(_finite(value))}\n")


def json_text(value: Any, indent: str = "") -> str:
    """A value as JSON; only what holds dictionaries or lists takes more than a line.

    Args:
        value: of dictionaries with names as keys, lists, words and finite numbers.
        indent: of the lines after the first.

    Example:
        >>> print(json_text({"scores": [0.5, 1.0], "of": {}}))
        {
          "scores": [0.5, 1.0],
          "of": {}
        }
    """
    inner = f"{indent}  "
    if isinstance(value, dict) and value:
        rows = [f"{json.dumps(str(k), ensure_ascii=False)}: {json_text(v, inner)}"
                for k, v in value.items()]  # fmt: skip
        ends = "{}"
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        rows, ends = [json_text(one, inner) for one in value], "[]"
    else:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    body = ",\n".join(f"{inner}{row}" for row in rows)
    return f"{ends[0]}\n{body}\n{indent}{ends[1]}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
