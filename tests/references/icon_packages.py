"""Small packages of icons in the form of Iconify's, with drawings that a test can foretell."""

import io
import json
import tarfile

from quickstudy.tasks.emoji import ARTISTS

CLASSES = 60
SIDES = {"noto": 128, "twemoji": 36, "fluent-emoji-flat": 32, "openmoji": 72}
VARIANTS = {"1f44d-1f3fd": "thumb-medium", "1f3c3-200d-27a1": "running-right", "1f3fb": "skin"}


def code(number):
    return f"{0x1F600 + number:x}"


def colour(number, artist):
    """A class has a red of its own, and an artist a green."""
    return (4 * number, 60 * artist, 7)


def square(artist, rgb):
    side = SIDES[ARTISTS[artist]]
    return {"body": f'<rect width="{side}" height="{side}" fill="rgb{rgb}"/>'}


def contents(artist, classes=CLASSES):
    """The files of one set, each with a drawing that the others have not, and with variants."""
    name = ARTISTS[artist]
    icons = {f"face-{number}": square(artist, colour(number, artist)) for number in range(classes)}
    chars = {code(number): f"face-{number}" for number in range(classes)}
    variants = {**VARIANTS, f"1f9{artist:02x}": "own"}
    icons |= {called: square(artist, (1, 2, 3)) for called in variants.values()}
    side = SIDES[name]
    return {
        "icons.json": {"icons": icons, "aliases": {}, "width": side, "height": side},
        "chars.json": {**chars, **variants},
        "info.json": {"name": name, "author": {"name": "A. Tist"}, "license": {"spdx": "MIT"}},
    }


def unpacked(folder, parts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in parts.items():
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    return folder


def packed(file, parts):
    with tarfile.open(file, "w:gz") as archive:
        for name, value in parts.items():
            data = json.dumps(value).encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file


def icon_packages(folder, classes=CLASSES):
    """The four sets, as `npm pack` leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    for artist, name in enumerate(ARTISTS):
        packed(folder / f"iconify-json-{name}-1.2.{artist}.tgz", contents(artist, classes))
    return folder
