import pytest

from quickstudy.tasks.files_below import files_below


@pytest.fixture
def folder(tmp_path):
    """A file here, one behind a link, and links that lead back."""
    (tmp_path / "new" / "a").mkdir(parents=True)
    (tmp_path / "disk" / "deep").mkdir(parents=True)
    for name in ("new/1.png", "new/a/2.png", "disk/3.png", "disk/deep/4.png"):
        (tmp_path / name).touch()
    links = {"new/b": "disk", "new/a/up": "new", "disk/deep/up": "disk", "new/gone": "nowhere"}
    for link, to in links.items():
        (tmp_path / link).symlink_to(tmp_path / to)
    return tmp_path / "new"


def test_links_are_followed_and_come_to_an_end(folder):
    found = [file.relative_to(folder).as_posix() for file in files_below(folder)]
    # A link to nothing is no folder: whoever reads it says so.
    assert found == ["1.png", "a/2.png", "b/3.png", "b/deep/4.png", "gone"]


def test_a_folder_behind_two_links_is_found_behind_both(folder):
    (folder / "c").symlink_to(folder.parent / "disk")
    found = [file.relative_to(folder).as_posix() for file in files_below(folder)]
    assert [name for name in found if name.endswith("3.png")] == ["b/3.png", "c/3.png"]
