"""Icon sets as Iconify packs them for npm: drawings in SVG, and the characters they stand for."""

import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quickstudy.errors import BadInput, DataError

FILES = ("icons.json", "chars.json", "info.json")
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="{size}" height="{size}" viewBox="{box}">{body}</svg>'
)


@dataclass(frozen=True)
class IconSet:
    """One artist's drawings.

    Attributes:
        source: the packed file or the folder that they were read from.
        licence: the set's title, author and licence, as its info.json states them.
        digest: SHA-256 of what decides how they look.
        names: code points, such as "1f441-200d-1f5e8" (without the variation selector FE0F, which
            some sets write and some do not) -> the set's own name.
        boxes: name -> left, top, width and height of a drawing, in its own units.
        bodies: name -> what stands between `<svg>` and `</svg>`.
    """

    source: Path
    licence: str
    digest: str
    names: Mapping[str, str]
    boxes: Mapping[str, tuple[float, ...]]
    bodies: Mapping[str, str]

    def draw(self, code: str, size: int) -> np.ndarray:
        """One drawing on white, as large as fits and centred, uint8 `[size, size, 3]`.

        Raises:
            BadInput: the package resvg-py is not installed.
            DataError: the drawing is no SVG.
        """
        name = self.names[code]
        box = " ".join(f"{number:g}" for number in self.boxes[name])
        svg = _SVG.format(size=size, box=box, body=self.bodies[name])
        render = _renderer()
        try:
            png = render(svg_string=svg, background="white", skip_system_fonts=True)
        except ValueError as error:
            raise DataError(
                f"{self.source}: the drawing {name!r} is no SVG ({error}). Get the package again."
            ) from error
        with Image.open(io.BytesIO(png)) as image:
            return np.asarray(image.convert("RGB"))


def find_icon_sets(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Where each set is: unpacked, as NAME/, @iconify-json/NAME/ or in node_modules/, or packed,
    as `iconify-json-NAME-VERSION.tgz`, in this order.

    Raises:
        DataError: a set is missing, or packed in two versions; the message says how to get all.
    """
    return {name: _find(folder, name, names) for name in names}


def read_icon_set(source: Path) -> IconSet:
    """The set in a package, which is not unpacked.

    Raises:
        DataError: the package is damaged or incomplete.
    """
    try:
        parts = _files(source)
        icons, chars, info = (json.loads(parts[name]) for name in FILES)
        digest = hashlib.sha256(parts[FILES[0]] + parts[FILES[1]]).hexdigest()
        own = icons["icons"]
        names = {_plain(code): name for code, name in chars.items() if name in own}
        boxes = {name: _box(icon, icons) for name, icon in own.items()}
        bodies = {name: icon["body"] for name, icon in own.items()}
        licence = f"{info['name']} by {info['author']['name']}, {info['license']['spdx']}"
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, LookupError,
            TypeError, AttributeError) as error:  # fmt: skip
        raise DataError(
            f"{source} is damaged or no package of Iconify ({type(error).__name__}: {error}); get "
            "it again."
        ) from error
    return IconSet(source, licence, digest, names, boxes, bodies)


def _find(folder: Path, name: str, all_names: Sequence[str]) -> Path:
    for where in (".", "@iconify-json", "node_modules/@iconify-json"):
        if (folder / where / name / FILES[0]).is_file():
            return folder / where / name
    kind = re.compile(rf"iconify-json-{re.escape(name)}-\d[^/]*\.tgz")
    packed = sorted(file for file in folder.glob("*.tgz") if kind.fullmatch(file.name))
    if len(packed) == 1:
        return packed[0]
    if packed:
        raise DataError(
            f"{folder} holds two versions of one package, {packed[0].name} and {packed[1].name}; "
            "move one away."
        )
    raise DataError(
        f"{folder} holds no iconify-json-{name}-VERSION.tgz, nor the unpacked package {name}. "
        f"{commands(all_names)}"
    )


def commands(names: Sequence[str]) -> str:
    """How to get the packages.

    Example:
        >>> print(commands(["noto"]))
        Get the packages in a folder, and give it by --data or QUICKSTUDY_DATA:
            npm pack @iconify-json/noto
    """
    lines = [f"    npm pack @iconify-json/{name}" for name in names]
    return "\n".join(
        ["Get the packages in a folder, and give it by --data or QUICKSTUDY_DATA:", *lines]
    )


def _files(source: Path) -> dict[str, bytes]:
    """The package's files that are read, by name."""
    if source.is_dir():
        return {name: (source / name).read_bytes() for name in FILES}
    with tarfile.open(source, "r:gz") as archive:
        opened = {name: archive.extractfile(f"package/{name}") for name in FILES}
        return {name: file.read() for name, file in opened.items() if file is not None}


def _plain(code: str) -> str:
    """Code points without FE0F, which asks for a picture instead of a letter."""
    return "-".join(part for part in code.lower().split("-") if part != "fe0f")


def _box(icon: Mapping[str, Any], common: Mapping[str, Any]) -> tuple[float, ...]:
    """Left, top, width and height: the icon's own, the set's, or 0, 0, 16, 16."""
    usual = {"left": 0, "top": 0, "width": 16, "height": 16}
    return tuple(float(icon.get(side, common.get(side, usual[side]))) for side in usual)


def _renderer() -> Any:
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise BadInput(
            "Emoji are drawn by the package resvg-py; install it with: "
            "pip install 'quickstudy[emoji]'"
        ) from None
    return svg_to_bytes
