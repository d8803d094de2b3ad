"""The files of Omniglot: part/alphabet/character/drawing.png, in a zip or in a folder."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from PIL import Image

from quickstudy.errors import DataError

SIZE = 28
# What zipfile, zlib and Pillow raise for damaged or encrypted files; for ways of packing that it
# does not know, zipfile raises a kind of RuntimeError.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    SyntaxError,
)


@dataclass(frozen=True)
class Drawings:
    """The drawings of one part (`images_background`, say), not yet decoded.

    Attributes:
        source: the zip or the folder.
        characters: (alphabet, character) -> sorted names of its drawings.
        read: a name -> the file's bytes.
    """

    source: Path
    characters: dict[tuple[str, str], list[str]]
    read: Callable[[str], bytes]

    def decode(self, character: tuple[str, str]) -> np.ndarray:
        """The drawings of a character, uint8 `[items, 28, 28]`, ink = 255.

        Raises:
            DataError: a file is damaged or no image; the message names it.
        """
        return np.stack([self._decode(name) for name in self.characters[character]])

    def _decode(self, name: str) -> np.ndarray:
        try:
            with Image.open(io.BytesIO(self.read(name))) as image:
                # In grey first: a bitmap of two levels would be resampled without any between.
                small = image.convert("L").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        except DAMAGED as error:
            raise DataError(
                f"{name} in {self.source} is damaged or not an image ({error}). Put a good copy "
                f"of {self.source} there."
            ) from error
        return 255 - np.asarray(small)


def find_part(root: Path, part: str) -> Path | None:
    """The part's zip or folder in `root` or in `root/omniglot`, or None."""
    for folder in (root, root / "omniglot"):
        for found in (folder / f"{part}.zip", folder / part):
            if found.exists():
                return found
    return None


@contextmanager
def open_part(source: Path) -> Iterator[Drawings]:
    """The drawings of a zip (read without unpacking) or of a folder.

    Raises:
        DataError: the zip is damaged, or holds a path that would leave it.
    """
    if source.is_dir():
        paths = [p.relative_to(source.parent).as_posix() for p in source.glob("*/*/*.png")]
        yield Drawings(source, _by_character(paths), lambda n: (source.parent / n).read_bytes())
        return
    try:
        archive = zipfile.ZipFile(source)
    except DAMAGED as error:
        raise DataError(
            f"{source} is truncated or not a zip file ({error}). Delete it to download it again, "
            "or put a good copy there."
        ) from error
    with archive:
        names = archive.namelist()
        _refuse_escapes(source, names)
        inside = [n for n in names if n.endswith(".png") and n.startswith(f"{source.stem}/")]
        yield Drawings(source, _by_character(inside), archive.read)


def fingerprint(source: Path) -> str:
    """What changes when the part's files do: the size and time of the zip or of its folders."""
    folders = sorted(source.glob("*/*")) if source.is_dir() else []
    stats = [(p, p.stat()) for p in (source, *folders)]
    return repr([(p.name, s.st_size, s.st_mtime_ns) for p, s in stats])


def _by_character(names: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """(alphabet, character) -> sorted names, from names part/alphabet/character/file."""
    characters: dict[tuple[str, str], list[str]] = {}
    for name in sorted(names):
        parts = PurePosixPath(name).parts
        if len(parts) == 4:
            characters.setdefault((parts[1], parts[2]), []).append(name)
    return characters


def _refuse_escapes(source: Path, names: Iterable[str]) -> None:
    for name in names:
        windows = PureWindowsPath(name)  # Splits at / and at \, and knows drives.
        if ".." in windows.parts or windows.drive or windows.root:
            raise DataError(
                f"{source} holds the path {name!r}, which leads out of the archive. Nothing of it "
                "was read; get the zip from its official place."
            )
