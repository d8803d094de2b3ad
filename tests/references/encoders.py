"""An encoder in place of a pretrained one, so that no weights are needed."""

import numpy as np

from quickstudy.features.encoder import encoder

FEATURES = 1280


def colours(x):
    """A feature for each of the first pixels."""
    return x.reshape(len(x), -1)[:, :FEATURES].astype(np.float32) / 255


def stand_in(monkeypatch):
    """Make `quickstudy.pretrained` return an encoder of images of 32×32."""
    found = encoder(colours, name="colours", size=(32, 32))
    monkeypatch.setattr("quickstudy.features.pretrained.pretrained", lambda name: found)
    return found
