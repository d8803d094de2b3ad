import numpy as np
import pytest

from quickstudy import BadInput, FewShotClassifier

X = np.eye(3).repeat(4, 0) + np.random.default_rng(0).normal(size=(12, 3)) / 20
Y = np.repeat(["a", "b", "c"], 4)


def test_one_pass_is_what_the_methods_say():
    classifier = FewShotClassifier(unknown=True).fit(X, Y)
    far = np.concatenate([X, [[9.0, 9.0, 9.0], [-9.0, 9.0, -9.0]]])
    seen = classifier.examine(far)
    np.testing.assert_array_equal(seen.answers, classifier.predict(far))
    np.testing.assert_array_equal(seen.probabilities, classifier.predict_proba(far))
    assert seen.shown is seen.probabilities
    assert seen.answers[-1] == "unknown"
    labels = np.array([*Y, "none", "none"])
    assert seen.against(labels) == classifier.report(far, labels)
    assert seen.expected(labels).tolist() == [*Y.tolist(), "unknown", "unknown"]
    part = seen.only(np.array([0, 13]))
    assert part.answers.tolist() == ["a", "unknown"]
    assert part.inputs.shape == (2, 3)
    with pytest.raises(BadInput, match="of the same kind"):
        seen.against(np.zeros(14, int))


def test_sureness_is_that_of_the_first():
    seen = FewShotClassifier().fit(X, Y).examine(np.array([X[0], (X[0] + X[4]) / 2]))
    np.testing.assert_allclose(seen.sureness, seen.probabilities.max(1))
    assert seen.sureness[1] < seen.sureness[0]
