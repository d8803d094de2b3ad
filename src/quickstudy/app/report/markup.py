"""Pieces of an HTML page: everything inserted is escaped, and there is one style for all."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #5b6470; --paper: #ffffff;
  --tint: #f4f6f8; --line: #dde2e8; --right: #1a7f37; --wrong: #c62828;
  --series-0: #1f4e9c; --series-1: #b8560b; --series-2: #187a5b; --series-3: #8a3ab0 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa4b1; --paper: #14171c;
  --tint: #1d2128; --line: #313844; --right: #57c271; --wrong: #ff7b72;
  --series-0: #7aa9f7; --series-1: #f0a35c; --series-2: #5fc9a3; --series-3: #c990ee } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--line) }
p { margin: .4rem 0; max-width: 44rem }
header { margin-bottom: 1rem }
a { color: var(--series-0); overflow-wrap: anywhere }
code, pre { font: .9em/1.4 ui-monospace, "DejaVu Sans Mono", monospace }
pre { background: var(--tint); padding: .6rem .8rem; border-radius: .4rem; overflow-x: auto;
  margin: .4rem 0 }
.result { font-size: 2.4rem; font-weight: 650; line-height: 1.15; margin: .6rem 0 0 }
.note, figcaption { color: var(--soft); font-size: .9rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .95rem }
table + table { margin-top: 1.2rem }
th, td { text-align: left; vertical-align: top; padding: .3rem 1.2rem .3rem 0;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
th { font-weight: 400; color: var(--soft); white-space: nowrap }
td { overflow-wrap: anywhere; min-width: 6rem }
.changed td:nth-child(2) { font-weight: 650 }
.charts { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)) }
.charts > .chart { max-width: 29rem }
img { display: block; image-rendering: pixelated; background: var(--tint) }
.episode td { padding: .35rem 1rem .2rem 0; min-width: 0 }
.episode th { vertical-align: middle }
.row { display: flex; gap: .35rem }
.row figure { margin: 0; text-align: center }
.row img { width: 2.6rem }
.row span { display: block; border: 1px solid var(--line) }
.row figcaption { font-size: .8rem; line-height: 1.3; white-space: nowrap }
.right { color: var(--right) } .wrong { color: var(--wrong) }
.wrong span { border-color: var(--wrong); box-shadow: 0 0 0 1px var(--wrong) }
.trial { max-width: 100%; background: #ffffff; image-rendering: auto }
.pairs { display: grid; gap: 1.2rem 1.5rem; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)) }
.pairs .row img { width: 4rem }
.pairs p { margin: .3rem 0 0; font-size: .9rem; overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { img.drawing { filter: invert(1) } }
@media (max-width: 30rem) { .result { font-size: 2rem } th { white-space: normal }
  td { min-width: 4rem } th, td { padding-right: .8rem }
  .episode td { padding-right: .6rem } .row { gap: .25rem } .episode .row img { width: 2.2rem } }
"""


class Html(str):
    """Text that is HTML already."""


def text(value: Any) -> str:
    """A value as HTML: `Html` as it is, everything else escaped.

    Example:
        >>> text("1 < 2"), text(Html("<b>"))
        ('1 &lt; 2', '<b>')
    """
    return value if isinstance(value, Html) else escape(str(value))


def linked(words: str) -> Html:
    """Escaped text in which web addresses are links.

    Example:
        >>> linked("<Finn>, https://a.org/1.")
        '&lt;Finn&gt;, <a href="https://a.org/1">https://a.org/1</a>.'
    """
    address = r"https?://[^\s<>\"'&;,]*[^\s<>\"'&;,.]"
    return Html(re.sub(address, lambda m: f'<a href="{m[0]}">{m[0]}</a>', escape(words)))


def section(title: str, body: str) -> Html:
    """A heading and what is below it; nothing where there is nothing."""
    return Html(f"<section><h2>{escape(title)}</h2>{body}</section>" if body else "")


def note(words: str, command: str = "") -> Html:
    """A remark, and the command that it speaks of."""
    shown = f"<pre><code>{escape(command)}</code></pre>" if command else ""
    return Html(f'<p class="note">{escape(words)}</p>{shown}')


def table(rows: Sequence[Sequence[Any]], head: Sequence[str] = (), css: str = "") -> Html:
    """A table that scrolls by itself where it is too wide; the first cell names the row.

    Args:
        rows: cells, escaped unless they are `Html`.
        head: names of the columns.
        css: the class of the table.
    """
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr><th>{text(name)}</th>{''.join(f'<td>{text(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    head_row = f"<tr>{top}</tr>" if head else ""
    return Html(f'<div class="wide"><table class="{css}">{head_row}{body}</table></div>')
