import pytest

from quickstudy.experiments.contents import same_contents


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ab-12", "ab-12", True),
        ("ab-12", "ab-34", False),
        ("ab-12", "cd-12", False),
        # A run of an older version kept names and sizes only.
        ("ab", "ab-12", True),
        ("ab", "cd-12", False),
        ("ab", "cd", False),
        # Or nothing.
        ("", "ab-12", True),
    ],
)
def test_parts_that_are_missing_tell_nothing(one, other, same):
    assert same_contents(one, other) is same
    assert same_contents(other, one) is same
