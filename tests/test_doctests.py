"""Every example in a docstring runs, and says what it says."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import quickstudy

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = sorted(
    module.name for module in pkgutil.walk_packages(quickstudy.__path__, "quickstudy.")
)


def examples(name):
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, capsys):
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    for test in examples(name):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out


def test_every_public_function_has_an_example():
    functions = {n: f for n in dir(quickstudy) if inspect.isfunction(f := getattr(quickstudy, n))}
    assert len(functions) > 20
    assert [n for n, f in functions.items() if ">>>" not in (inspect.getdoc(f) or "")] == []


def test_examples_are_found():
    """Also those of functions and methods that are wrapped by the type checker."""
    found = {test.name for name in ("quickstudy.nets.conv", "quickstudy.learners.maml")
             for test in examples(name)}  # fmt: skip
    assert {"quickstudy.nets.conv.conv2d", "quickstudy.learners.maml.MAML"} <= found
