"""Each module has a test file at the mirrored path: a/b.py and tests/a/test_b.py."""

from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "src" / "quickstudy"
# It says what the package is and which names it has; its examples run in tests/test_doctests.py.
WITHOUT = "__init__.py"


def mirrored(module: Path) -> Path:
    """The path of a module's tests, in the folder of tests."""
    return Path(*module.parts[:-1], f"test_{module.name.lstrip('_')}")


def untested(package: Path, tests: Path) -> list[str]:
    """The modules that have no test file of their own."""
    modules = (path.relative_to(package) for path in sorted(package.rglob("*.py")))
    wanted = (module for module in modules if module.name != WITHOUT)
    return [str(module) for module in wanted if not (tests / mirrored(module)).is_file()]


def test_every_module_has_its_tests():
    assert untested(PACKAGE, TESTS) == []


def test_a_module_without_tests_is_found(tmp_path):
    package, tests = tmp_path / "package", tmp_path / "tests"
    for file in ("package/__init__.py", "package/a/_b.py", "package/a/c.py", "tests/a/test_b.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    assert untested(package, tests) == ["a/c.py"]
    (tests / "test_c.py").write_text("")
    assert untested(package, tests) == ["a/c.py"], "in another folder it is another's"
    (tests / "a" / "test_c.py").write_text("")
    assert untested(package, tests) == []
