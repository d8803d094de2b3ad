"""Properties by name: the first that does not hold is named, and what went wrong."""

import pytest

from quickstudy import BadInput
from quickstudy.testing.properties import ConformanceError, demand_properties


def small(x):
    """It is below 10."""
    assert x < 10, f"it is {x}"


def whole(x):
    """It is a whole number."""
    x.bit_length()


PROPERTIES = {"small": small, "whole": whole}


def test_the_first_that_does_not_hold_is_named():
    demand_properties("x", PROPERTIES, 3, ())
    with pytest.raises(
        ConformanceError, match=r"x breaks the property 'small' \(It is below 10\.\) it is 30"
    ) as error:
        demand_properties("x", PROPERTIES, 30.0, ())
    assert error.value.broken == "small"
    with pytest.raises(ConformanceError, match=r"'whole' .* AttributeError: 'float'"):
        demand_properties("x", PROPERTIES, 30.0, ("small",))


def test_names_that_are_left_out_must_be_there():
    demand_properties("x", PROPERTIES, 30.0, ("small", "whole"))
    with pytest.raises(BadInput, match=r"\['smal'\] are no properties; choose from \['small', 'wh"):
        demand_properties("x", PROPERTIES, 3, ("smal",))
    with pytest.raises(BadInput, match=r"except_for is 'small'; give several names, as \('small',"):
        demand_properties("x", PROPERTIES, 3, "small")
