"""What is in a folder with one sub-folder for each class: read once for all who ask."""

import functools
import hashlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickstudy.experiments.networks import Inputs
from quickstudy.experiments.problems.shares import demand_there

if TYPE_CHECKING:
    from quickstudy.tasks.images import ImageClasses

SAMPLE = 2**14
"""Bytes of a large file, at its head, middle and tail, that stand for it."""


@functools.lru_cache(maxsize=4)
def class_files_in(path: str) -> dict[str, list[Path]]:
    """The images of each class; see `quickstudy.tasks.folders.class_files`."""
    from quickstudy.tasks.folders import class_files

    return class_files(Path(path))


# Of each split once, though tasks are made anew for every number of shots.
@functools.lru_cache(maxsize=4)
def images_in(path: str, names: tuple[str, ...], inputs: Inputs, ink: Any) -> "ImageClasses":
    """The images of these classes, in a shape."""
    from quickstudy.tasks.folders import read_classes
    from quickstudy.tasks.pictures import Look

    files = class_files_in(path)
    demand_there(names, files, path)
    chosen = {name: files[name] for name in names}
    return read_classes(chosen, Look((inputs[0], inputs[1]), inputs[2], ink))


def channels_in(path: str) -> int:
    """3 if any of the images has a colour, else 1."""
    from quickstudy.tasks.pictures import has_colour

    # One of each class in turn: where there are colours, most classes have some.
    rounds = itertools.zip_longest(*class_files_in(path).values())
    files = (file for one_of_each in rounds for file in one_of_each if file is not None)
    return 3 if any(has_colour(file) for file in files) else 1


def digest_in(path: str, names: tuple[str, ...]) -> str:
    """A short name for these classes: that of the files' names and sizes, and behind a hyphen
    that of their bytes. Runs of older versions kept the first half only; see `same_contents`."""
    files = class_files_in(path)
    own = [(name, [(f, f.stat()) for f in files.get(name, [])]) for name in names]
    sizes = [(name, [(f.name, about.st_size) for f, about in found]) for name, found in own]
    read = hashlib.sha256()
    for file, about in itertools.chain.from_iterable(found for _, found in own):
        read.update(_bytes_of(file, about.st_size, about.st_mtime_ns))
    return f"{hashlib.sha256(repr(sizes).encode()).hexdigest()[:12]}-{read.hexdigest()[:12]}"


# Asked for often; the time of the last change tells a file that was written anew.
@functools.lru_cache(maxsize=2**16)
def _bytes_of(file: Path, size: int, changed: int) -> bytes:
    """A hash of a file, or of three samples of a large one: pictures of equal size, as those of
    BMP and PPM are, differ in places, and photographs everywhere."""
    places = (0, (size - SAMPLE) // 2, size - SAMPLE) if size > 3 * SAMPLE else None
    with file.open("rb") as opened:
        if places is None:
            return hashlib.sha256(opened.read()).digest()
        found = hashlib.sha256()
        for place in places:
            opened.seek(place)
            found.update(opened.read(SAMPLE))
        return found.digest()
