"""Errors in code of the user's own, told by its lines."""

from quickstudy.experiments.telling import MARK, told

CODE = """
def outer():
    inner()

def inner():
    return {}["none"]
"""


def raised(**names):
    exec(compile(CODE, "mine.py", "exec"), names)
    try:
        names["outer"]()
    except KeyError as error:
        return error


def test_the_lines_of_one_s_own_file_are_told():
    assert told(raised(**{MARK: True})) == (
        "an error in code of your own:\n  mine.py, line 3, in outer\n  mine.py, line 6, in inner\n"
        "KeyError: 'none'"
    )


def test_an_error_elsewhere_is_not():
    assert told(raised()) is None
