"""Folders of small photographs of one colour each, and what a stand-in encoder needs."""

from PIL import Image

from references.stand_in_encoder import BLUE, GREEN, RED, coloured


def write_colours(folder, counts, *, seed=0, colours=None):
    """Folders named like colours, each with so many photographs: `{"red": 3}`."""
    colours = colours or {"red": RED, "green": GREEN, "blue": BLUE}
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(coloured(count, colours[name], seed=seed)):
            Image.fromarray(image).save(folder / name / f"{i}.png")
    return folder
