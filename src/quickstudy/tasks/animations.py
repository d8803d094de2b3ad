"""What is said of images with more frames than the one that is used."""

import logging
from collections.abc import Iterable
from pathlib import Path

from quickstudy.tasks.pictures import is_animated

LOG = logging.getLogger(__name__)


def tell_animated(count: int) -> None:
    """One warning for all of them; none for none."""
    if count:
        LOG.warning("%d images are animated; the first frame of each is used", count)


def tell_animated_files(files: Iterable[Path]) -> None:
    """Look into files, without decoding them, and tell how many are animated."""
    tell_animated(sum(is_animated(file) for file in files))
