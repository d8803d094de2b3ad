"""Code of the user's own is used where it was named, and nowhere else."""

import pytest

from quickstudy.errors import BadInput
from quickstudy.experiments.networks import NetworkConfig
from quickstudy.experiments.scope import Scope
from quickstudy.experiments.settings import Own, read_settings


def test_the_user_s_own_is_found_by_its_name_only():
    """Whatever folder its file stood in."""
    scope = Scope({"Net": print})
    found = read_settings(NetworkConfig, {"name": "own", "own": {"own": "nets.py:Net"}}, scope)
    assert found.own == Own("nets.py:Net")
    assert found.own.thing is print
    with pytest.raises(BadInput, match=r"beside Net: .*, or in Python recipe=\['PATH/nets.py:Ot"):
        read_settings(NetworkConfig, {"name": "own", "own": {"own": "nets.py:Other"}}, scope)
