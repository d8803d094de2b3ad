import numpy as np
import pytest

from quickstudy import BadInput, FewShotClassifier
from quickstudy.estimators.novelty import NearestNovelty, demand_share, threshold


def classes(ways, shots, seed=0):
    rng = np.random.default_rng(seed)
    centres = 4 * rng.normal(size=(ways, 16))
    y = np.arange(ways).repeat(shots)
    return centres[y] + rng.normal(size=(len(y), 16)), y


def test_held_out_novelty_is_refitting():
    x, _ = classes(3, 4)
    for rows in ("plain", "unit", "root"):
        quick = NearestNovelty.of(rows, x).held_out()
        slow = [NearestNovelty.of(rows, np.delete(x, i, 0))(x[i : i + 1])[0] for i in range(12)]
        np.testing.assert_allclose(quick, slow, atol=1e-7)


def test_at_most_the_share_of_known_things_exceeds_the_threshold():
    novelty = np.random.default_rng(0).random(199)
    for share in (0.05, 0.1, 0.5):
        assert np.mean(novelty > threshold(novelty, share)) <= share
        assert np.mean(novelty > threshold(novelty, share)) > share - 0.02


def test_held_out_classes_are_told_apart():
    from sklearn.metrics import roc_auc_score

    x, y = classes(10, 40)
    known = y < 5
    fitted = np.flatnonzero(known)[::2]
    classifier = FewShotClassifier(unknown=0.1).fit(x[fitted], y[fitted])
    new_known, new_unknown = np.setdiff1d(np.flatnonzero(known), fitted), np.flatnonzero(~known)
    novelty = [classifier.novelty(x[rows]) for rows in (new_known, new_unknown)]
    truth = np.repeat([0, 1], [len(one) for one in novelty])
    assert roc_auc_score(truth, np.concatenate(novelty)) > 0.99
    assert (classifier.predict(x[new_unknown]) == -1).mean() > 0.95
    assert 0.02 < (classifier.predict(x[new_known]) == -1).mean() < 0.2
    # Of an unknown class -1 is the right answer.
    assert classifier.score(x[new_unknown], y[new_unknown]) > 0.95


def test_one_class_against_everything_else():
    x, y = classes(2, 30)
    classifier = FewShotClassifier(unknown=True).fit(x[y == 0], ["mine"] * 30)
    assert (classifier.predict(x[y == 1]) == "unknown").all()
    assert (classifier.predict(x[y == 0]) == "mine").mean() > 0.9


@pytest.mark.parametrize("setting", [0.0, 1.0, 2, "yes", None])
def test_settings_that_are_no_share(setting):
    with pytest.raises(BadInput, match="unknown is"):
        demand_share(setting)


@pytest.mark.parametrize(
    ("setting", "share"),
    [(np.bool_(True), 0.05), (np.bool_(False), None), (np.float32(0.25), 0.25)],
)
def test_settings_of_numpy_s_kinds(setting, share):
    assert demand_share(setting) == share


def test_impossible_unknowns():
    x, y = classes(3, 4)
    with pytest.raises(BadInput, match="two examples or more"):
        FewShotClassifier(unknown=True).fit(x[::4], y[::4])
    with pytest.raises(BadInput, match="which is a class"):
        FewShotClassifier(unknown=True, unknown_label=1).fit(x, y)
    with pytest.raises(BadInput, match="give a number"):
        FewShotClassifier(unknown=True, unknown_label="other").fit(x, y)
