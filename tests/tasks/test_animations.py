import os

import pytest
from PIL import Image

from quickstudy.tasks.animations import tell_animated_files
from quickstudy.tasks.pictures import is_animated


def frames(file, count=2):
    first, *more = [Image.new("RGB", (9, 9), (40 * i, 0, 0)) for i in range(count)]
    first.save(file, save_all=True, append_images=more)
    return file


@pytest.mark.parametrize("name", ["a.gif", "a.tif", "a.webp", "a.png"])
def test_files_with_frames(tmp_path, name, caplog):
    files = [frames(tmp_path / name), frames(tmp_path / f"b{name}")]
    plain = Image.new("RGB", (9, 9))
    plain.save(tmp_path / f"c{name}")
    tell_animated_files([*files, tmp_path / f"c{name}"])
    assert [one.getMessage() for one in caplog.records] == [
        "2 images are animated; the first frame of each is used"
    ]


def test_what_cannot_be_read_is_told_by_whoever_reads_it(tmp_path, caplog):
    (tmp_path / "a.png").write_bytes(b"no image")
    os.mkfifo(tmp_path / "b.gif")
    files = [tmp_path / "a.png", tmp_path / "b.gif", tmp_path / "gone.gif"]
    assert not any(is_animated(file) for file in files)
    tell_animated_files(files)
    assert not caplog.records
