import numpy as np
import pytest

import quickstudy as qs
from quickstudy.errors import BadInput


@pytest.fixture(scope="module")
def image():
    y, x, c = np.ogrid[:224, :224, :3]
    return ((x * y // 16 + (c + 1) * (x - y) // 2) % 256).astype(np.uint8)


# Of that image, by PyTorch 2.13 in float64 and the network of efficientnet-lite-pytorch 0.1.0:
# features 0, 128, 256 ... 1152, and the length of all 1280.
REFERENCE = (0.96724, 0.042337, 1.056277, 0.079527, 0.702635, 0.0, 0.026655, 0.0, 0.0, 0.0)
LENGTH = 22.44473


@pytest.mark.usefixtures("installed")
def test_features_are_those_of_the_published_network(image):
    encoder = qs.pretrained("efficientnet-lite0")
    found = encoder(np.stack([image, image[::-1]]))
    assert found.shape == (2, 1280)
    np.testing.assert_allclose(found[0, ::128], REFERENCE, atol=1e-4)
    assert np.linalg.norm(found[0]) == pytest.approx(LENGTH, abs=1e-3)
    assert np.abs(found[1] - found[0]).max() > 0.1
    assert (encoder.size, encoder.features, encoder.batch) == ((224, 224), 1280, 1)
    assert encoder.digest == qs.pretrained("efficientnet-lite0").digest
    assert encoder.digest != qs.pretrained("efficientnet-lite0", fit="crop").digest


def test_unknown_names_are_refused():
    with pytest.raises(BadInput, match="'resnet50'; give efficientnet-lite0"):
        qs.pretrained("resnet50")
