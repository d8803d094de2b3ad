"""Data and files of a user's own, small enough for tests."""

import sys

import numpy as np
from PIL import Image

from quickstudy.experiments import own


def folder_of_classes(path, classes=9, images=8, size=(12, 12), colour=False):
    """A folder with one sub-folder for each class: squares of a shade and a place of its own."""
    rng = np.random.default_rng(0)
    for number in range(classes):
        (path / f"class{number:02}").mkdir(parents=True)
        for image in range(images):
            pixels = rng.integers(0, 60, (*size, 3) if colour else size).astype(np.uint8)
            pixels[number % size[0], :] = 255
            Image.fromarray(pixels).save(path / f"class{number:02}" / f"{image}.png")
    return path


def npz_of_images(path, classes=9, images=8, shape=(12, 12)):
    pixels = np.random.default_rng(0).integers(0, 255, (classes, images, *shape), np.uint8)
    np.savez(path, images=pixels)
    return path


def forget(folder):
    """Forget the code that stands in a folder, as a new process would not know of it."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
    sys.path[:] = [path for path in sys.path if not path.startswith(str(folder))]
    own._module.cache_clear()
