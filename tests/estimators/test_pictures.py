import numpy as np
import pytest
from PIL import Image

from quickstudy import BadInput, DataError
from quickstudy.estimators.pictures import listed, pictures, pixels


def only(x):
    (item,) = pictures(x, labelled=False).items
    return item


def test_one_scale_for_all_types():
    levels = np.array([[0, 51, 255], [102, 153, 204]], np.uint8).repeat(4, 0).repeat(4, 1)
    forms = [
        levels[None],
        levels[None, ..., None],
        (levels.astype(np.uint16) * 257)[None],
        (levels / 255)[None],
        (levels / 255).astype(np.float32)[None],
        [levels],
        Image.fromarray(levels),
        [Image.fromarray(levels.astype(np.uint16) * 257)],
        np.stack([levels] * 3, -1),
    ]
    for form in forms:
        item = only(form)
        assert item.dtype == np.uint8
        np.testing.assert_array_equal(item, np.stack([levels] * 3, -1))


def test_what_is_transparent_is_white():
    clear = np.zeros((5, 6, 4), np.uint8)
    assert (only(clear) == 255).all()
    assert (only(Image.fromarray(clear)) == 255).all()


def test_features_are_no_images():
    for features in (np.zeros((3, 4)), [[1.0, 2.0]], np.zeros(3), np.zeros((3, 4), np.uint8)):
        assert pictures(features, labelled=False) is None


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.full((1, 5, 5), 200.0), "outside 0 ... 1"),
        (np.full((1, 5, 5), np.nan), "are not finite"),
        (np.zeros((1, 5, 5), np.int32), "range is not known"),
        (np.zeros((2, 3, 8, 8), np.uint8), "moveaxis"),
        ([np.zeros((3, 8, 8), np.uint8)], "moveaxis"),
    ],
)
def test_refused(x, message):
    with pytest.raises(BadInput, match=message):
        pictures(x, labelled=False)


def test_files_and_folders(tmp_path):
    for name in ("b/2.png", "a/1.png", "a/.hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (6, 4), (10, 20, 30)).save(tmp_path / name)
    found = pictures(tmp_path, labelled=True)
    assert found.labels == ["a", "b"]
    assert [p.name for p in pictures(str(tmp_path), labelled=False).items] == ["1.png", "2.png"]
    item = only(tmp_path / "a" / "1.png")
    assert pixels(item, (4, 6)).tolist() == [[[10, 20, 30]] * 6] * 4
    with pytest.raises(DataError, match="no file"):
        pictures([str(tmp_path / "none.png")], labelled=False)
    with pytest.raises(DataError, match="no file or folder"):
        pictures(tmp_path / "none", labelled=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        pictures(tmp_path / "empty", labelled=False)


class Column:
    """What of a pandas Series or Index is used here, which is not installed for tests."""

    ndim = 1

    def __init__(self, values):
        self.values = values
        self.shape = (len(values),)

    def __iter__(self):
        return iter(self.values)


@pytest.mark.parametrize(
    "form", [list, tuple, np.array, Column, iter, lambda v: {0: v[0]}.values()]
)
def test_several_paths_in_whatever_holds_them(form, tmp_path):
    file = tmp_path / "1.png"
    Image.new("RGB", (6, 4)).save(file)
    for paths in ([file], [str(file)]):
        assert pictures(listed(form(paths)), labelled=False).items == [file]
    assert pictures(listed(tmp_path.glob("*.png")), labelled=False).items == [file]


def test_what_is_no_column_stays_as_it_is():
    for x in (np.zeros(3), np.zeros((2, 3)), "a", {"a": 1}, 3, None):
        assert listed(x) is x


GREY = np.zeros((5, 5), np.uint8)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (b"PNG...", r"X is 6 bytes; give the path of the file, or PIL.Image.open\("),
        ([b"PNG..."], r"X\[0\] is 6 bytes; give the path"),
        ([GREY, None], r"X\[1\] is None, and X\[0\] is an array \[5, 5\]; give paths and images"),
        (["a.png", [1, 2, 3]], r"X\[1\] is \[1, 2, 3\], and X\[0\] is 'a.png'; give paths and"),
        (np.array([None, GREY], object), r"X\[0\] is None, and X\[1\] is an array"),
        ([], "X is empty, with 0 images"),
        (np.zeros((0, 5, 5), np.uint8), r"X is \[0, 5, 5\], with 0 pixels; give one image or more"),
        (np.zeros((0, 5, 5, 3), np.uint8), "with 0 pixels"),
        (np.zeros((2, 0, 5, 3), np.uint8), "with 0 pixels"),
        ([GREY, np.zeros((0, 5), np.uint8)], r"X\[1\] is \[0, 5\], with 0 pixels"),
        ([Image.new("L", (5, 0))], r"X\[0\] is \[0, 5\], with 0 pixels"),
        (
            {"cat": [GREY]},
            r"X is \{'cat': \[arr.*\.\.\.; give images.*Of a dict \{label:",
        ),
        ({1, 2}, r"X is \{1, 2\}; give images, a folder of them or features \[n, d\]"),
        (None, "X is None; give images, a folder"),
        (3, "X is 3; give images, a folder"),
        (Image.new("L", (0, 5)), r"X is \[5, 0\], with 0 pixels"),
    ],
)
def test_what_is_no_image_is_named_with_its_place(x, said):
    with pytest.raises(BadInput, match=said):
        pictures(listed(x), labelled=False)


def test_a_folder_among_files(tmp_path):
    with pytest.raises(BadInput, match=r"X\[1\] is the folder .*; give the paths of the images in"):
        pictures([GREY, tmp_path], labelled=False)


def test_proportions_are_kept():
    wide = np.full((4, 8, 3), 255, np.uint8)
    out = pixels(wide, (8, 8))
    assert (out[2:6] == 255).all()
    assert (out[:2] == 0).all()
    assert (out[6:] == 0).all()
