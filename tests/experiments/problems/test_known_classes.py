import shutil
from dataclasses import replace

import numpy as np
import pytest

from quickstudy import BadInput
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.known_classes import as_divided
from quickstudy.experiments.problems.yours import FolderImages, NpzImages
from references.own_code import folder_of_classes, npz_of_images

SPLITS = ("train", "validation", "test", "left_out")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of nine classes of which one is left out."""
    folder = folder_of_classes(tmp_path_factory.mktemp("photos") / "birds", classes=9)
    own = FolderImages(path=str(folder), ways=2, ratios=(4, 2, 2))
    return own.prepared(Source())


def moved(trained, to, leaving=()):
    shutil.copytree(trained.path, to, ignore=lambda *_: leaving)
    return FolderImages(path=str(to))


def test_a_folder_that_was_moved_keeps_its_splits(trained, tmp_path):
    found = as_divided(moved(trained, tmp_path / "moved"), trained)
    assert found == {name: getattr(trained, name) for name in SPLITS}
    assert as_divided(FolderImages(path=trained.path), trained) == found


def test_what_was_learned_from_is_left_out_whatever_was_added_or_taken_away(trained, tmp_path):
    here = moved(trained, tmp_path / "moved", leaving=(trained.train[0], trained.test[0]))
    shutil.copytree(tmp_path / "moved" / trained.train[1], tmp_path / "moved" / "new")
    found = as_divided(here, trained)
    assert found["train"] == trained.train[1:]
    assert found["validation"] == trained.validation
    assert found["test"] == tuple(sorted((trained.test[1], *trained.left_out, "new")))
    tested = here.tested_as(trained)
    assert {name: getattr(tested, name) for name in SPLITS} == found
    (said,) = tested.tested_notes()
    assert "5 of its classes" in said
    assert "the test is on the 3 others" in said
    with pytest.raises(BadInput, match=r"4-way tasks need 4 classes, and .* has 3 in the split"):
        replace(tested, ways=4).tasks("test", Source())


def test_other_classes_are_all_tested(trained, tmp_path):
    for name in "xyz":
        shutil.copytree(trained.path + "/" + trained.train[0], tmp_path / "other" / name)
    tested = FolderImages(path=str(tmp_path / "other")).tested_as(trained)
    assert tested.test == ("x", "y", "z")
    assert tested.tested_notes() == []


def test_classes_that_are_all_known_are_refused(trained, tmp_path):
    others = (*trained.test, *trained.left_out)
    with pytest.raises(BadInput, match="has no class that the run was not trained or validated"):
        moved(trained, tmp_path / "moved", leaving=others).tested_as(trained)


def test_other_data_under_the_same_names_are_all_tested(trained, tmp_path):
    """As long as the run's own data can tell that these are others."""
    here = moved(trained, tmp_path / "fish")
    for name in (names := trained.names()):
        (tmp_path / "fish" / name / "more.png").write_bytes(b"no picture, but other contents")
    found = as_divided(here, trained)
    assert found == {**dict.fromkeys(SPLITS, ()), "test": names}
    gone = replace(trained, path=str(tmp_path / "gone"))
    assert as_divided(here, gone)["train"] == trained.train


def test_arrays_of_the_same_labels_are_told_apart_by_their_contents(tmp_path):
    """Files of arrays are labelled 0, 1, 2 ... whatever is in them."""
    own = NpzImages(path=str(npz_of_images(tmp_path / "own.npz")), ways=2, ratios=(4, 2, 2))
    own = own.prepared(Source())
    assert own.names()[0] == "0"
    images = np.load(own.path)["images"]

    def divided(name, images, trained=own):
        np.savez(tmp_path / name, images=images)
        here = NpzImages(path=str(tmp_path / name))
        return as_divided(here, trained), here.names()

    found, _ = divided("copy.npz", images)
    assert found["train"] == own.train
    found, names = divided("other.npz", 255 - images)
    assert found == {**dict.fromkeys(SPLITS, ()), "test": names}
    found, _ = divided("more.npz", np.concatenate([images, 255 - images[:1]]))
    assert found["train"] == own.train
    assert "9" in found["test"]
    # What is gone cannot tell that these are others.
    gone = replace(own, path=str(tmp_path / "gone.npz"))
    assert divided("third.npz", 255 - images, gone)[0]["train"] == own.train
