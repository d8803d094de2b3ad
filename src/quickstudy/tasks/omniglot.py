"""Omniglot: 1,623 handwritten characters of 50 alphabets, each drawn by 20 people."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quickstudy.errors import BadInput, DataError
from quickstudy.files import cache_folder
from quickstudy.progress import Counter, silent
from quickstudy.tasks.cache import fetch, load_cached, save_cached
from quickstudy.tasks.drawings import Drawings, find_part, fingerprint, open_part
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.images import ImageClasses, split_classes
from quickstudy.tasks.transforms import ClassTurns, Transform

URL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
MD5 = {
    "images_background": "68d2efa1b9178cc56df9314c21c6e718",
    "images_evaluation": "6b91aef0f799c5bb55b94e3f2daec811",
}
CHARACTERS = {"images_background": 964, "images_evaluation": 659}
DRAWINGS = 20
SNELL_SIZES = {"train": 1028, "validation": 172, "test": 423}
SNELL_VALIDATION = ("Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)")
SNELL_TEST = (
    *("Kannada", "Keble", "Malayalam", "Manipuri", "Mongolian", "Old_Church_Slavonic_(Cyrillic)"),
    *("Oriya", "Sylheti", "Syriac_(Serto)", "Tengwar", "Tibetan", "ULOG"),
)
# The one alphabet that is in two splits: from this character on it is in the test.
SNELL_DIVIDED = ("Gurmukhi", "character42")
# Alphabets of the official background set without a near relative in it.
LAKE_VALIDATION = ("Anglo-Saxon_Futhorc", "Burmese_(Myanmar)", "Futurama", "Korean", "Tifinagh")


@dataclass(frozen=True)
class Omniglot:
    """All characters, sorted by alphabet, character and file.

    Attributes:
        classes: images uint8 `[1623, 20, 28, 28]` (ink = 255), names "Alphabet/character01", and
            in `groups` the number of each character's alphabet.
        alphabets: the names of the alphabets.
        background: bool `[1623]`: in the official background set, not in the evaluation set.
    """

    classes: ImageClasses
    alphabets: tuple[str, ...]
    background: np.ndarray


@dataclass(frozen=True)
class Protocol:
    """What a published Omniglot experiment fixes.

    Attributes:
        source: the paper, and what this protocol takes from it.
        splits: from the characters to the class numbers of train, validation and test.
        ways: classes per episode in training and elsewhere, unless the caller chooses.
        queries: query items per class; None means as many as shots.
        test_episodes: how many test episodes a published number rests on.
        turns: 4 where every rotation of a character is a class of its own.
        transform: the random change of a task's images.
        within_alphabet: whether all classes of an episode come from one alphabet.
    """

    source: str
    splits: Callable[[Omniglot], dict[str, np.ndarray]]
    ways: tuple[int, int]
    queries: int | None
    test_episodes: int
    turns: int = 1
    transform: Transform | None = None
    within_alphabet: bool = False


def _finn_splits(data: Omniglot) -> dict[str, np.ndarray]:
    return split_classes(len(data.classes), {"train": 1100, "validation": 100, "test": 423}, seed=1)


def _random_splits(data: Omniglot) -> dict[str, np.ndarray]:
    return split_classes(len(data.classes), SNELL_SIZES, seed=2)


def _snell_splits(data: Omniglot) -> dict[str, np.ndarray]:
    divided, first = SNELL_DIVIDED
    found: dict[str, list[int]] = {name: [] for name in SNELL_SIZES}
    for number, name in enumerate(data.classes.names):
        alphabet, character = name.split("/")
        tested = alphabet in SNELL_TEST or (alphabet == divided and character >= first)
        split = "validation" if alphabet in SNELL_VALIDATION else "test" if tested else "train"
        found[split].append(number)
    if (sizes := {name: len(numbers) for name, numbers in found.items()}) != SNELL_SIZES:
        raise DataError(
            f"snell2017 lists characters by their official names, which give {SNELL_SIZES}, and "
            f"those of this folder give {sizes}; put the official zips there, or choose "
            "random-characters"
        )
    return {name: np.array(numbers) for name, numbers in found.items()}


def _lake_splits(data: Omniglot) -> dict[str, np.ndarray]:
    alphabet_of = np.array([name.split("/")[0] for name in data.classes.names])
    validation = np.isin(alphabet_of, LAKE_VALIDATION)
    return {
        "train": np.flatnonzero(data.background & ~validation),
        "validation": np.flatnonzero(validation),
        "test": np.flatnonzero(~data.background),
    }


PROTOCOLS: dict[str, Protocol] = {
    "finn2017": Protocol(
        "Finn et al., 2017, https://arxiv.org/abs/1703.03400: 1,200 random characters, 100 of "
        "them for validation, and 423 for test; a rotation per class per task",
        _finn_splits,
        ways=(5, 5),
        queries=None,
        test_episodes=600,
        transform=ClassTurns(),
    ),
    "snell2017": Protocol(
        "Snell et al., 2017, https://arxiv.org/abs/1703.05175: their list of characters, which "
        "separates alphabets; rotations are new classes, 4,800 for training and validation, 1,692 "
        "for test",
        _snell_splits,
        ways=(60, 5),
        queries=5,
        test_episodes=1000,
        turns=4,
    ),
    "random-characters": Protocol(
        "none: as snell2017, with as many characters drawn at random, so that a test's alphabets "
        "are known from training",
        _random_splits,
        ways=(60, 5),
        queries=5,
        test_episodes=1000,
        turns=4,
    ),
    "lake2015": Protocol(
        "Lake et al., 2015, https://doi.org/10.1126/science.aab3050: the official 30 and 20 "
        "alphabets, episodes within one alphabet",
        _lake_splits,
        ways=(20, 20),
        queries=1,
        test_episodes=1000,
        within_alphabet=True,
    ),
}


def omniglot(
    protocol: str,
    split: str,
    *,
    ways: int | None = None,
    shots: int = 1,
    queries: int | None = None,
    data: str | Path | None = None,
    progress: Counter = silent,
) -> Episodes:
    """Episodes of Omniglot under a named protocol; 28×28 images, ink = 1.

    - `finn2017`: 1,100 training, 100 validation and 423 test characters, drawn with seed 1; in
      every task each class turns by its own random multiple of 90°; as many queries as shots.
    - `snell2017`: the list published with prototypical networks
      (https://github.com/jakesnell/prototypical-networks): 1,028 training, 172 validation and 423
      test characters, of 33, 5 and 13 alphabets, with only Gurmukhi in two; each counts as four
      classes, one per rotation: 4,112, 688 and 1,692. `train+validation` has the paper's 4,800.
      60-way training, 5-way otherwise, 5 queries.
    - `random-characters`: the same with as many characters drawn at random with seed 2, whatever
      their alphabets. Easier than `snell2017`, and called so by version 0.1.
    - `lake2015`: the official background set for training, without 5 of its 30 alphabets held out
      for validation (`LAKE_VALIDATION`), and the 20 evaluation alphabets for test; 20 classes of
      one alphabet, 1 query each, as in an official run; alphabets with fewer are passed over.

    Args:
        protocol: a name in `PROTOCOLS`.
        split: `train`, `validation`, `test`, or `train+validation`.
        ways: classes per episode; by default the protocol's.
        shots: support items per class.
        queries: query items per class; by default the protocol's.
        data: a folder with the two official zips or their unpacked form, or with a sub-folder
            `omniglot` of that kind; by default `QUICKSTUDY_DATA`, or a download.
        progress: called as `progress(what, done, total)`.

    Raises:
        BadInput: an unknown protocol or split, or an episode that does not fit into it.
        DataError: the files are missing or damaged, or the download failed.

    Example:
        >>> tasks = omniglot("finn2017", "train", ways=5, shots=1)  # doctest: +SKIP
        >>> tasks.sample(jax.random.key(0)).support.x.shape  # doctest: +SKIP
        (5, 28, 28, 1)

    Source: Lake et al. (2015, https://github.com/brendenlake/omniglot).
    """
    if protocol not in PROTOCOLS:
        raise BadInput(f"There is no Omniglot protocol {protocol!r}; choose of {list(PROTOCOLS)}.")
    rules = PROTOCOLS[protocol]
    if split not in ("train", "validation", "test", "train+validation"):
        raise BadInput(
            f"There is no split {split!r}; choose train, validation, test or train+validation."
        )
    loaded = load_omniglot(data, progress)
    parts = rules.splits(loaded)
    chosen = loaded.classes.select(np.sort(np.concatenate([parts[s] for s in split.split("+")])))
    if queries is None:
        queries = shots if rules.queries is None else rules.queries
    # `train+validation` is for training, too, and has its ways.
    return Episodes.of(
        chosen,
        ways=rules.ways[not split.startswith("train")] if ways is None else ways,
        shots=shots,
        queries=queries,
        groups=chosen.groups if rules.within_alphabet else None,
        turns=rules.turns,
        transform=rules.transform,
    )


def load_omniglot(data: str | Path | None = None, progress: Counter = silent) -> Omniglot:
    """All of Omniglot at 28×28; decoded once, then read from the cache.

    Args:
        data: see `omniglot`.
        progress: called as `progress(what, done, total)`.

    Raises:
        DataError: the files are missing, incomplete or damaged, or the download failed.
    """
    sources = _locate(data, progress)
    key = hashlib.sha256(repr([fingerprint(s) for s in sources.values()]).encode()).hexdigest()
    path = cache_folder() / f"omniglot-28-{key[:16]}.npz"
    arrays = load_cached(path)
    if arrays is None or set(arrays) != {"images", "names", "background"}:
        arrays = _decode(sources, progress)
        save_cached(path, **arrays)
    names = tuple(arrays["names"].tolist())
    alphabets, groups = np.unique([name.split("/")[0] for name in names], return_inverse=True)
    counts = np.full(len(names), DRAWINGS, np.int32)
    classes = ImageClasses(arrays["images"], names, counts, groups.astype(np.int32))
    return Omniglot(classes, tuple(alphabets.tolist()), arrays["background"])


def _locate(data: str | Path | None, progress: Counter) -> dict[str, Path]:
    """The zip or folder of each part: where the caller says, or downloaded into the cache."""
    if chosen := data or os.environ.get("QUICKSTUDY_DATA"):
        folder = Path(chosen).expanduser()
        found = {part: find_part(folder, part) for part in CHARACTERS}
        missing = [part for part, source in found.items() if source is None]
        if missing:
            raise DataError(
                f"{folder} (--data or QUICKSTUDY_DATA) has no {missing[0]}.zip and no folder "
                f"{missing[0]}, neither directly nor in {folder / 'omniglot'}. Put the "
                f"official zips of {URL} there, or unset it to download them."
            )
        return {part: source for part, source in found.items() if source is not None}
    folder, sources = cache_folder() / "omniglot", {}
    for part in CHARACTERS:
        sources[part] = folder / f"{part}.zip"
        if not sources[part].exists():
            fetch(f"{URL}{part}.zip", sources[part], MD5[part], progress)
    return sources


def _decode(sources: dict[str, Path], progress: Counter) -> dict[str, np.ndarray]:
    """Every character's drawings, sorted by alphabet and character over both parts."""
    found: list[tuple[tuple[str, str], str, np.ndarray]] = []
    total = sum(CHARACTERS.values())
    for part, source in sources.items():
        with open_part(source) as drawings:
            _check_complete(drawings, CHARACTERS[part])
            for character in drawings.characters:
                found.append((character, part, drawings.decode(character)))
                progress("Reading Omniglot", len(found), total)
    found.sort(key=lambda entry: entry[0])
    return {
        "images": np.stack([images for _, _, images in found]),
        "names": np.array(["/".join(character) for character, _, _ in found]),
        "background": np.array([part == "images_background" for _, part, _ in found]),
    }


def _check_complete(drawings: Drawings, expected: int) -> None:
    for character, names in drawings.characters.items():
        if len(names) != DRAWINGS:
            raise DataError(
                f"{drawings.source} holds {len(names)} drawings of {'/'.join(character)} instead "
                f"of {DRAWINGS}: it is incomplete or has files added. Put the official one there."
            )
    if len(drawings.characters) != expected:
        raise DataError(
            f"{drawings.source} holds {len(drawings.characters)} characters instead of {expected}:"
            " it is incomplete or not the official one. Put the official one there."
        )
