import warnings

import numpy as np
import pytest
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.utils.estimator_checks import check_estimator

from quickstudy import BadInput, FewShotRegressor
from references.stand_in_encoder import Patches, coloured

NOT_RUN = {"check_array_api_input", "check_regressor_data_not_an_array"}
"""They ask for SCIPY_ARRAY_API and for pandas."""


@pytest.mark.parametrize("head", ["auto", "ridge", "kernel"])
def test_scikit_learns_checks(head):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(FewShotRegressor(head=head), on_skip=None)
    assert {one["check_name"] for one in found if one["status"] != "passed"} <= NOT_RUN


def test_the_head_suits_the_data():
    x = np.random.default_rng(0).normal(size=(25, 2))
    assert type(FewShotRegressor().fit(x, x @ [1, 2]).head_).__name__ == "RidgeHead"
    waves = FewShotRegressor().fit(x, np.sin(2 * x[:, 0]))
    assert type(waves.head_).__name__ == "KernelHead"
    assert waves.leave_one_out_["kernel"] > waves.leave_one_out_["ridge"]


def test_held_out_r2_is_that_of_cross_validation():
    x = np.random.default_rng(1).normal(size=(30, 3))
    y = x @ [1, 2, 3] + np.random.default_rng(2).normal(size=30)
    fitted = FewShotRegressor(head="ridge").fit(x, y)
    others = cross_val_predict(FewShotRegressor(head="ridge"), x, y, cv=LeaveOneOut())
    # Not equal: without an example another penalty may be chosen.
    assert abs(fitted.leave_one_out_["ridge"] - r2_score(y, others)) < 0.02


def test_images_and_partial_fit():
    levels = np.linspace(40, 215, 12)
    images = np.concatenate([coloured(1, (v, v, v), seed=i) for i, v in enumerate(levels)])
    encoder = Patches()
    whole = FewShotRegressor(encoder).fit(images, levels)
    assert whole.score(images, levels) > 0.98
    parts = FewShotRegressor(encoder).fit(images[:6], levels[:6])
    encoder.seen = 0
    parts.partial_fit(images[6:], levels[6:])
    assert encoder.seen == 6
    np.testing.assert_array_equal(parts.predict(images), whole.predict(images))


def test_mistakes_are_named():
    x = np.random.default_rng(0).normal(size=(5, 2))
    for call, message in [
        (lambda: FewShotRegressor(head="tree").fit(x, x[:, 0]), "head is 'tree'"),
        (lambda: FewShotRegressor().fit(x), "y is None"),
        (lambda: FewShotRegressor().fit(x[:1], [1.0]), "1 sample"),
        (lambda: FewShotRegressor().fit(x, x).partial_fit(x, x[:, 0]), "same size"),
    ]:
        with pytest.raises(BadInput, match=message):
            call()


@pytest.mark.parametrize("y", [3.0, "a"])
def test_one_target_for_several_examples_is_refused(y):
    with pytest.raises(BadInput, match=f"y is {y!r}; give a target for each example"):
        FewShotRegressor().fit(np.eye(3), y)


@pytest.mark.parametrize("size", [1e160, 1e-160])
def test_targets_whose_squares_do_not_count_are_refused(size):
    x = np.random.default_rng(0).normal(size=(9, 2))
    with pytest.raises(BadInput, match=r"the largest target is .*; multiply y by a number"):
        FewShotRegressor().fit(x, x[:, 0] * size)
    small = FewShotRegressor().fit(x, x[:, 0] * 1e-140).leave_one_out_
    assert small == pytest.approx(FewShotRegressor().fit(x, x[:, 0]).leave_one_out_)


@pytest.mark.parametrize("level", [0.0, 0.1, 1.0, 1 / 3, 1e9])
def test_equal_targets_are_told_without_an_error(level):
    x = np.random.default_rng(0).normal(size=(12, 2))
    fitted = FewShotRegressor().fit(x, np.full(12, level))
    assert fitted.leave_one_out_ == {"ridge": 1.0, "kernel": 1.0}
    np.testing.assert_allclose(fitted.predict(x), level)
