"""Where things are kept on this machine."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder for downloads, decoded images and compiled programs.

    The variable QUICKSTUDY_CACHE, or the user's cache folder.
    """
    return Path(os.environ.get("QUICKSTUDY_CACHE") or platformdirs.user_cache_dir("quickstudy"))
