"""Glyphs: the characters of Matplotlib's own fonts, a benchmark that needs no download."""

import hashlib
import unicodedata
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from quickstudy.errors import BadInput, DataError
from quickstudy.files import cache_folder
from quickstudy.progress import Counter, silent
from quickstudy.tasks.cache import load_cached, save_cached
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.images import ImageClasses, split_classes
from quickstudy.tasks.transforms import Transform, Warp

FACES = tuple(
    f"DejaVu{family}{style}"
    for family, styles in {
        "Sans": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "SansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "Serif": ("", "-Bold", "-Italic", "-BoldItalic"),
    }.items()
    for style in styles
)
SIZE = 28
INK_SIZE = 20  # The longer side of a character, in pixels: Omniglot's leave a like margin.
FONT_SIZE = 40  # Characters are shrunk from this size, and small marks are not blown up.
ALIKE = 0.93  # Two classes whose mean correlation over the faces is above this are one.
SPLITS = {"train": 0.7, "validation": 0.1, "test": 0.2}


def glyphs(
    split: str,
    *,
    ways: int = 5,
    shots: int = 1,
    queries: int = 5,
    warp: Transform | None = None,
    progress: Counter = silent,
) -> Episodes:
    """Episodes of randomly warped characters; the classes of the splits are disjoint.

    A class is one character, its 12 items are the faces of DejaVu (sans, monospaced and serif,
    regular, bold and slanted); 70 % of the classes are for training, 10 % for validation, 20 %
    for test.

    Args:
        split: `train`, `validation` or `test`.
        ways: classes per episode.
        shots: support items per class.
        queries: query items per class; shots + queries are at most 12.
        warp: the random change of every image; by default `Warp()`.
        progress: called as `progress(what, done, total)`.

    Raises:
        BadInput: an unknown split, or an episode that does not fit into it.
        DataError: Matplotlib's fonts are missing.

    Example:
        >>> tasks = glyphs("train", ways=20, shots=1, queries=5)
        >>> tasks.images.shape[1:]
        (12, 28, 28)
    """
    if split not in SPLITS:
        raise BadInput(f"There is no split {split!r}; choose of {list(SPLITS)}.")
    data = load_glyphs(progress)
    chosen = data.select(split_classes(len(data), SPLITS, seed=0)[split])
    return Episodes.of(
        chosen, ways=ways, shots=shots, queries=queries, transform=Warp() if warp is None else warp
    )


def load_glyphs(progress: Counter = silent) -> ImageClasses:
    """All classes: uint8 `[classes, 12, 28, 28]`, ink = 255, named by their Unicode names.

    Left out are blank characters, combining marks, characters that some face lacks, and all but
    the first of those that look alike (Latin A, Greek Α and Cyrillic А). Rendered once, then
    read from the cache.

    Raises:
        DataError: Matplotlib's fonts are missing.
    """
    paths = _font_paths()
    # All that the pixels depend on; another version of a font has another size.
    recipe = repr((SIZE, INK_SIZE, FONT_SIZE, ALIKE, [(p.name, p.stat().st_size) for p in paths]))
    path = cache_folder() / f"glyphs-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.npz"
    arrays = load_cached(path)
    if arrays is None or set(arrays) != {"images", "names"}:
        arrays = _render(paths, progress)
        save_cached(path, **arrays)
    images = arrays["images"]
    counts = np.full(len(images), len(FACES), np.int32)
    return ImageClasses(images, tuple(arrays["names"].tolist()), counts)


def _font_paths() -> list[Path]:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    paths = [folder / f"{face}.ttf" for face in FACES]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise DataError(
            f"Matplotlib's fonts {missing} are not in {folder}; reinstall matplotlib, or train "
            "on other images."
        )
    return paths


def _render(paths: list[Path], progress: Counter) -> dict[str, np.ndarray]:
    codes = _shared_codes(paths)
    images = np.zeros((len(codes), len(paths), SIZE, SIZE), np.uint8)
    for face, path in enumerate(paths):
        # The layout that every build of Pillow has, so that all machines draw the same pixels.
        font = ImageFont.truetype(path, FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)
        for i, code in enumerate(codes):
            images[i, face] = _draw(font, chr(code))
        progress("Drawing glyphs", face + 1, len(paths))
    keep = distinct_classes(images)
    names = [unicodedata.name(chr(codes[i]), f"U+{codes[i]:04X}") for i in keep]
    return {"images": images[keep], "names": np.array(names)}


def _shared_codes(paths: list[Path]) -> list[int]:
    """The code points that every face draws and that are a character with a shape of its own."""
    # A font's character map does not list what it draws as the missing-glyph box.
    shared = set.intersection(*(set(FT2Font(str(path)).get_charmap()) for path in paths))
    # By code point: of characters that look alike the first stays, the Latin one.
    return sorted(code for code in shared if _own_shape(chr(code)))


def _own_shape(character: str) -> bool:
    """No space, control or combining mark, and no small raised or lowered copy of another."""
    copied = unicodedata.decomposition(character).startswith(("<super>", "<sub>"))
    return unicodedata.category(character)[0] not in "ZCM" and not copied


def _draw(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    """One character, shrunk until its longer side has INK_SIZE pixels, and centred."""
    sheet = Image.new("L", (3 * FONT_SIZE, 3 * FONT_SIZE))
    ImageDraw.Draw(sheet).text((FONT_SIZE, FONT_SIZE), character, fill=255, font=font)
    canvas = Image.new("L", (SIZE, SIZE))
    box = sheet.getbbox()
    if box is not None:
        w, h = box[2] - box[0], box[3] - box[1]
        scale = min(INK_SIZE / max(w, h), 1)
        w, h = max(round(w * scale), 1), max(round(h * scale), 1)
        ink = sheet.resize((w, h), Image.Resampling.BOX, box)
        canvas.paste(ink, ((SIZE - w) // 2, (SIZE - h) // 2))
    return np.asarray(canvas)


def distinct_classes(images: np.ndarray, alike: float = ALIKE) -> np.ndarray:
    """Which classes to keep: none blank in a face, and no two that look alike.

    Two classes look alike if the correlation of their images (averaged over 2×2 pixels), averaged
    over the faces, exceeds `alike`; of those, the first stays.

    Args:
        images: uint8 `[classes, faces, h, w]` with even h and w.
        alike: the largest mean correlation of two classes that both stay.

    Returns:
        Sorted class numbers.
    """
    n, faces, h, w = images.shape
    small = images.reshape(n, faces, h // 2, 2, w // 2, 2).mean((3, 5), dtype=np.float32)
    flat = small.reshape(n, faces, -1)
    blank = (flat.max(2) == 0).any(1)
    flat = flat - flat.mean(2, keepdims=True)
    flat /= np.linalg.norm(flat, axis=2, keepdims=True) + 1e-9
    flat = flat.reshape(n, -1)
    similar = flat @ flat.T / faces > alike
    keep: list[int] = []
    for i in np.flatnonzero(~blank):
        if not similar[i, keep].any():
            keep.append(int(i))
    return np.array(keep, int)
