import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from quickstudy.experiments.contents import same_contents
from quickstudy.experiments.problems.class_folder import class_files_in, digest_in


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        (tmp_path / "own" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((300, 300), np.uint8)).save(tmp_path / "own" / name / "1.bmp")
    class_files_in.cache_clear()
    return tmp_path / "own"


@pytest.mark.parametrize("place", [(0, 0), (150, 150), (299, 299)])
def test_pictures_of_equal_size_are_told_apart(folder, place):
    """Of 90,000 bytes, at whichever end the difference is."""
    before, file = digest_in(str(folder), ("a", "b")), folder / "a" / "1.bmp"
    about = file.stat()
    pixels = np.zeros((300, 300), np.uint8)
    pixels[place] = 255
    Image.fromarray(pixels).save(file)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    assert file.stat().st_size == about.st_size
    after = digest_in(str(folder), ("a", "b"))
    assert after != before
    assert not same_contents(after, before)
    assert digest_in(str(folder), ("b",)) != digest_in(str(folder), ("a",))


def test_a_copy_has_the_same_name_and_an_older_version_s_is_its_first_half(folder, tmp_path):
    other = tmp_path / "copy"
    for name in "ab":
        (other / name).mkdir(parents=True)
        (other / name / "1.bmp").write_bytes((folder / name / "1.bmp").read_bytes())
    found = digest_in(str(other), ("a", "b"))
    assert found == digest_in(str(folder), ("a", "b"))
    size = (folder / "a" / "1.bmp").stat().st_size
    sizes = repr([(name, [("1.bmp", size)]) for name in "ab"])
    assert same_contents(hashlib.sha256(sizes.encode()).hexdigest()[:12], found)
