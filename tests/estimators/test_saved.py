import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from quickstudy import BadInput, CheckpointError, FewShotClassifier, FewShotRegressor
from quickstudy.estimators import saved
from references.stand_in_encoder import BLUE, RED, Patches, coloured

X = np.concatenate([coloured(4, RED), coloured(4, BLUE, seed=1)])
Y = np.array(["red"] * 4 + ["blue"] * 4)
FEATURES = np.random.default_rng(0).normal(size=(12, 6))
NUMBERS = np.arange(3).repeat(4)


@pytest.fixture
def file(tmp_path):
    FewShotClassifier(head="ridge", unknown=True).fit(FEATURES, NUMBERS).save(tmp_path / "a.qs")
    return tmp_path / "a.qs"


@pytest.mark.parametrize("head", ["auto", "centroids", "ridge", "discriminant", "logistic"])
def test_loading_gives_the_same_bits(tmp_path, head):
    own = FewShotClassifier(Patches(), head=head, unknown=True).fit(X, Y)
    own.save(tmp_path / "a.qs")
    again = FewShotClassifier.load(tmp_path / "a.qs", encoder=Patches())
    for name in ("predict", "predict_proba", "novelty"):
        np.testing.assert_array_equal(getattr(own, name)(X), getattr(again, name)(X))
    assert str(own.report(X, Y)) == str(again.report(X, Y))
    assert own.get_params() | {"encoder": None} == again.get_params() | {"encoder": None}
    for name in ("head_", "calibration_", "leave_one_out_", "threshold_", "unknown_label_"):
        assert getattr(own, name) == getattr(again, name)
    assert own.classes_.dtype == again.classes_.dtype
    green = coloured(3, (60, 200, 60), seed=2)
    for one in (own, again):
        one.partial_fit(green, ["green"])
    np.testing.assert_array_equal(own.predict_proba(X), again.predict_proba(X))


def test_one_example_per_class_has_no_calibration_but_is_saved(tmp_path):
    own = FewShotClassifier().fit(FEATURES[:3], ["a", "b", "c"])
    own.save(tmp_path / "a.qs")
    again = FewShotClassifier.load(tmp_path / "a.qs")
    np.testing.assert_array_equal(own.predict_proba(FEATURES), again.predict_proba(FEATURES))


@pytest.mark.parametrize("head", ["ridge", "kernel"])
def test_regressor(tmp_path, head):
    own = FewShotRegressor(head=head).fit(FEATURES, FEATURES[:, :2])
    own.save(tmp_path / "a.qs")
    again = FewShotRegressor.load(tmp_path / "a.qs")
    np.testing.assert_array_equal(own.predict(FEATURES), again.predict(FEATURES))
    assert own.head_ == again.head_


def test_equal_estimators_are_equal_files(tmp_path, file):
    FewShotClassifier.load(file).save(tmp_path / "b.qs")
    assert file.read_bytes() == (tmp_path / "b.qs").read_bytes()


def test_every_changed_byte_is_found(file):
    data = file.read_bytes()
    for place in np.linspace(0, len(data) - 1, 60).astype(int):
        changed = bytearray(data)
        changed[place] ^= 1
        file.write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"a\.qs"):
            FewShotClassifier.load(file)
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        FewShotClassifier.load(file)


def rewritten(file, **changes):
    """The file with another header and the checksum that belongs to it."""
    arrays, header = saved.read(file, "FewShotClassifier")
    saved.write(file, arrays, {k: v for k, v in (header | changes).items() if k != "format"})


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": {"kind": "__import__", "rows": "plain"}},
        {"scores": {"kind": "LinearScores", "rows": "cube"}},
        {"head": {"kind": "RidgeHead", "penalty": 1.0, "more": 2}},
        {"settings": {"head": "ridge", "no_such": 1}},
        {"classes": {"type": "|V8", "names": []}},
        {"encoder": {"name": "x"}},
        {"calibration": {}},
    ],
)
def test_a_header_that_does_not_fit_is_refused(file, changes):
    rewritten(file, **changes)
    with pytest.raises(CheckpointError, match="does not hold what"):
        FewShotClassifier.load(file)


def test_other_files_are_refused(tmp_path, file):
    with pytest.raises(CheckpointError, match="holds a FewShotClassifier"):
        FewShotRegressor.load(file)
    with pytest.raises(CheckpointError, match="cannot be read"):
        FewShotClassifier.load(tmp_path / "missing.qs")
    save_file({"a": FEATURES}, tmp_path / "other.qs")
    with pytest.raises(CheckpointError, match="it has no"):
        FewShotClassifier.load(tmp_path / "other.qs")
    arrays, header = saved.read(file, "FewShotClassifier")
    text = json.dumps(header | {"format": 2})
    whole = {"checksum": saved._checksum(arrays, text), "estimator": text}
    save_file(arrays, tmp_path / "later.qs", {saved.HEADER: json.dumps(whole)})
    with pytest.raises(CheckpointError, match="format 2"):
        FewShotClassifier.load(tmp_path / "later.qs")


def test_a_failed_write_leaves_the_old_file(tmp_path, file, monkeypatch):
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("quickstudy.files.os.fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        FewShotClassifier().fit(FEATURES, NUMBERS).save(file)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.qs"]


def test_an_encoder_of_ones_own_must_be_given_again(tmp_path):
    FewShotClassifier(Patches()).fit(X, Y).save(tmp_path / "a.qs")
    again = FewShotClassifier.load(tmp_path / "a.qs")
    assert again.encoder_.name == "patches"
    with pytest.raises(BadInput, match=r"load\(path, encoder"):
        again.predict(X)
    assert again.predict(again.inputs_).tolist() == Y.tolist()  # features need none


def test_an_answer_for_unknown_that_numpy_made_is_saved(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 4))
    settings = {"unknown": np.bool_(True), "unknown_label": np.int64(99)}
    classifier = FewShotClassifier(**settings).fit(x, np.arange(2).repeat(6))
    classifier.save(tmp_path / "a.qs")
    assert FewShotClassifier.load(tmp_path / "a.qs").predict(x + 99).tolist() == [99] * 12
