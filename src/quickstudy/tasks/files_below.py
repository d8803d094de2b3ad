"""All files in a folder and below, through links to folders."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """What is no folder in `folder` and its sub-folders, those that are links as well.

    Args:
        folder: where to look.
        above: the real paths of the folders that it is in: a link back to one of them is not
            followed, or there would be no end.

    Raises:
        OSError: a folder cannot be read.
    """
    here = os.path.realpath(folder)
    if here in above:
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            yield from files_below(entry, above | {here})
        else:
            yield entry
