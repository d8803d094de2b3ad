"""One self-contained HTML page: no scripts, and nothing from the network."""

import base64
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from quickstudy.app.report.plots import inline_svg, on_paper
from quickstudy.experiments.sections import Photograph, Picture, PictureFile, Section

TEMPLATES = Path(__file__).parent / "templates"
KINDS = {".gif": "image/gif", ".png": "image/png"}


def page(title: str, sections: Sequence[Section]) -> str:
    """The page as text; the title of the first section stands on top.

    Example:
        >>> text = page("a < b", [Section("c & d", [])])
        >>> "<title>a &lt; b</title>" in text, "<h1>c &amp; d</h1>" in text
        (True, True)
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        # Names of files and classes are the user's, and may hold markup.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    numbers = itertools.count()
    environment.filters |= {
        "kind": lambda value: type(value).__name__,
        "svg": lambda chart: inline_svg(chart, next(numbers)),
        "data_uri": data_uri,
    }
    head, *rest = sections
    return environment.get_template("page.html.j2").render(title=title, head=head, sections=rest)


def data_uri(picture: Picture | PictureFile) -> str:
    """A picture as the address of a file that holds itself.

    Example:
        >>> import numpy as np
        >>> data_uri(Picture(np.zeros((4, 4, 1)), "nothing"))[:22]
        'data:image/png;base64,'
    """
    if isinstance(picture, PictureFile):
        return _address(KINDS[picture.path.suffix], picture.path.read_bytes())
    buffer = io.BytesIO()
    if isinstance(picture, Photograph):  # a tenth of its PNG
        Image.fromarray(on_paper(picture)).save(buffer, "JPEG", quality=85)
        return _address("image/jpeg", buffer.getvalue())
    Image.fromarray(on_paper(picture)).save(buffer, "PNG", optimize=True)
    return _address("image/png", buffer.getvalue())


def _address(kind: str, data: Any) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
