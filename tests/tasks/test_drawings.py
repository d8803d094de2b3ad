"""The files of Omniglot, in a zip or in a folder: found, sorted, decoded, and never left."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from quickstudy.errors import DataError
from quickstudy.tasks.drawings import SIZE, find_part, fingerprint, open_part

NAMES = ["Zulu/character01/b.png", "Zulu/character01/a.png", "Alpha/character02/a.png"]
CHARACTERS = {
    ("Alpha", "character02"): ["part/Alpha/character02/a.png"],
    ("Zulu", "character01"): ["part/Zulu/character01/a.png", "part/Zulu/character01/b.png"],
}


def png(grey):
    file = io.BytesIO()
    Image.new("L", (105, 105), grey).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(params=["zip", "folder"])
def part(request, tmp_path):
    """The same drawings, darker from one to the next, and a file that is none."""
    files = {f"part/{name}": png(255 - 100 * i) for i, name in enumerate(NAMES)}
    files["part/readme.txt"] = b"hello"
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "part.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return tmp_path / "part.zip"
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path / "part"


def test_drawings_are_sorted_by_character_and_ink_is_light(part):
    with open_part(part) as drawings:
        assert drawings.characters == CHARACTERS
        found = drawings.decode(("Zulu", "character01"))
    assert (found.shape, found.dtype) == ((2, SIZE, SIZE), np.uint8)
    assert (found[0] == 100).all()
    assert (found[1] == 0).all()


def test_what_is_no_image_is_named(part):
    with open_part(part) as drawings:
        other = type(drawings)(part, drawings.characters, lambda name: b"no image")
        with pytest.raises(DataError, match=r"part/Alpha/character02/a\.png in .* is damaged"):
            other.decode(("Alpha", "character02"))


def test_a_part_is_found_beside_or_below(part):
    assert find_part(part.parent, "part") == part
    assert find_part(part.parent, "another") is None
    below = part.parent / "omniglot"
    below.mkdir()
    moved = part.rename(below / part.name)
    assert find_part(part.parent, "part") == moved


def test_a_fingerprint_changes_with_the_files(part):
    before = fingerprint(part)
    assert fingerprint(part) == before
    if part.is_dir():
        (part / "Zulu" / "character01" / "c.png").write_bytes(png(9))
    else:
        with zipfile.ZipFile(part, "a") as archive:
            archive.writestr("part/Zulu/character01/c.png", png(9))
    assert fingerprint(part) != before


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "a\\..\\evil.png", "C:\\evil.png"]
)
def test_a_zip_that_leads_out_is_not_read(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "part.zip", "w") as archive:
        archive.writestr(name, b"")
    with (
        pytest.raises(DataError, match="leads out of the archive"),
        open_part(tmp_path / "part.zip"),
    ):
        pytest.fail("it was opened")


def test_what_is_no_zip(tmp_path):
    (tmp_path / "part.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="not a zip file"), open_part(tmp_path / "part.zip"):
        pytest.fail("it was opened")
