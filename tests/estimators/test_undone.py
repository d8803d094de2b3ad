import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy import BadInput
from quickstudy.estimators.undone import undone_if_refused
from quickstudy.learners.losses import squared_error

X = np.random.default_rng(0).normal(size=(12, 8))
NAMES = ["b"] * 6 + ["c"] * 6


def state(one):
    """What the estimator's attributes are, the very objects."""
    return {name: id(value) for name, value in vars(one).items()}


def taking(ways):
    network = qs.MLP(8, (16, ways), key=jax.random.key(0))
    return qs.FewShotClassifier(learner=qs.MAML(network, inner_lr=0.1, steps=5))


@pytest.mark.parametrize(
    ("classifier", "refused"),
    [
        # Found only by the learner, which has two outputs.
        (taking(2), lambda c: c.partial_fit(X[:2] - 9, ["aaa"] * 2)),
        (taking(2), lambda c: c.fit(X, ["a", "b", "c"] * 4)),
        # Found when the labels are known, after the features were counted.
        (qs.FewShotClassifier(), lambda c: c.fit(X[:, :5], NAMES[1:])),
        (qs.FewShotClassifier(), lambda c: c.fit(X[:, :5], ["b"] * 12)),
        (
            qs.FewShotClassifier(unknown=True, unknown_label="new"),
            lambda c: c.partial_fit(X[:2], ["new"] * 2),
        ),
    ],
)
def test_a_refused_support_set_changes_no_answer(classifier, refused):
    classifier.fit(X, NAMES)
    answers, before = classifier.predict(X), state(classifier)
    with pytest.raises(ValueError, match=r"give|inconsistent"):
        refused(classifier)
    assert state(classifier) == before
    assert classifier.predict(X).tolist() == answers.tolist()


def test_a_refused_fit_leaves_a_new_estimator_unfitted():
    classifier = qs.FewShotClassifier()
    before = state(classifier)
    with pytest.raises(ValueError, match="inconsistent"):
        classifier.fit(X, NAMES[1:])
    assert state(classifier) == before


def learner_of_numbers():
    network = qs.MLP(8, (16, 1), key=jax.random.key(0))
    return qs.MAML(network, loss=squared_error, inner_lr=0.1, steps=5)


@pytest.mark.parametrize(
    ("learner", "refused"),
    [
        (None, lambda r: r.set_params(head="none").fit(X[:, :5], X[:, 0])),
        (None, lambda r: r.partial_fit(X[:2], X[:2, :2])),
        (learner_of_numbers(), lambda r: r.fit(X[:, :5], X[:, 0])),
        (learner_of_numbers(), lambda r: r.fit(X, X[:, :2])),
    ],
)
def test_a_refused_regression_changes_no_answer(learner, refused):
    regressor = qs.FewShotRegressor(learner=learner).fit(X, X[:, 0])
    answers, before = regressor.predict(X), state(regressor)
    with pytest.raises(BadInput):
        refused(regressor)
    assert state(regressor.set_params(head="auto")) == before
    assert regressor.predict(X).tolist() == answers.tolist()


def test_an_interrupt_counts_and_what_was_added_is_gone():
    class Counted:
        def __init__(self):
            self.n = 1

        @undone_if_refused
        def learn(self, stop):
            self.n, self.more = 2, 3
            if stop:
                raise KeyboardInterrupt

    one = Counted()
    with pytest.raises(KeyboardInterrupt):
        one.learn(True)
    assert vars(one) == {"n": 1}
    one.learn(False)
    assert vars(one) == {"n": 2, "more": 3}
