"""Docstrings of fields, which Python does not keep."""

import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap


@functools.cache
def field_docs(kind: type) -> dict[str, str]:
    """What the docstring below each field of a dataclass says.

    Example:
        >>> from quickstudy.experiments.budget import Budget
        >>> field_docs(Budget)["steps"]
        'Meta-steps.'
    """
    found: dict[str, str] = {}
    # Python keeps no docstrings of fields, so that they are read from the source; those of the
    # class itself come last, and count.
    for base in reversed(kind.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):  # made without a file
            continue
        body = getattr(tree.body[0], "body", [])
        for line, below in itertools.pairwise(body):
            if isinstance(line, ast.AnnAssign) and isinstance(below, ast.Expr):
                said = getattr(below.value, "value", None)
                if isinstance(said, str) and isinstance(line.target, ast.Name):
                    found[line.target.id] = " ".join(said.split())
    return {field.name: found.get(field.name, "") for field in dataclasses.fields(kind)}
