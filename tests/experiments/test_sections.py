"""What a page shows."""

import pytest

from quickstudy.experiments.sections import Line


@pytest.mark.parametrize(("x", "y", "bars"), [((1, 2), (1.0,), ()), ((1,), (1.0,), (0.1, 0.2))])
def test_a_line_has_as_many_heights_as_positions(x, y, bars):
    with pytest.raises(ValueError, match="of a line have"):
        Line("a", x, y, bars)
