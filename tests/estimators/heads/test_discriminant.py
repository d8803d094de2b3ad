"""Linear discriminant analysis against scikit-learn's."""

import numpy as np

from quickstudy.estimators.heads.discriminant import DiscriminantHead
from quickstudy.estimators.heads.labelled import Labelled


def test_discriminant_is_scikit_learns():
    """With scikit-learn's covariance, divided by n instead of n − N, and its priors."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(3)
    y = np.arange(3).repeat(10)
    x = rng.normal(size=(30, 4)) + rng.normal(size=(3, 4))[y]
    means = np.stack([x[y == k].mean(0) for k in range(3)])
    apart = (x - means[y]).T @ (x - means[y]) / 27
    shrunk = 0.8 * apart + 0.2 * np.trace(apart) / 4 * np.eye(4)

    class Given:
        def fit(self, x):
            self.covariance_ = shrunk
            return self

    model = LinearDiscriminantAnalysis(
        solver="lsqr", priors=[1 / 3] * 3, covariance_estimator=Given()
    )
    theirs = model.fit(x, y).decision_function(x)
    ours = DiscriminantHead(0.2).fit(Labelled(x, y, 3))(x)
    differences = [s - s[:, :1] for s in (ours, theirs)]
    np.testing.assert_allclose(differences[0], differences[1], rtol=1e-8, atol=1e-8)
