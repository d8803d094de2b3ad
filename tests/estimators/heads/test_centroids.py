"""Nearest centroids as in the paper."""

import numpy as np

from quickstudy.estimators.heads.centroids import CentroidHead
from references.unbalanced import unbalanced


def test_centroids_are_the_papers():
    """z = (x − m) / ‖x − m‖, and the nearest mean of z."""
    examples = unbalanced(20, 5, 3)
    scores = CentroidHead().fit(examples)
    means = np.stack([examples.x[examples.y == k].mean(0) for k in range(4)])
    z = examples.x - means.mean(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    centroids = np.stack([z[examples.y == k].mean(0) for k in range(4)])
    wanted = -np.square(z[:, None] - centroids).sum(-1)
    np.testing.assert_allclose(scores(examples.x), wanted, atol=1e-12)
