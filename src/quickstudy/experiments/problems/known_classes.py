"""Which classes of one's own data a run knows already, when it is tested on them."""

from typing import TYPE_CHECKING

from quickstudy.errors import QuickstudyError
from quickstudy.experiments.contents import same_contents

if TYPE_CHECKING:
    from quickstudy.experiments.problems.yours import YourImages

NAMES = "their names are the same"
SPLITS = ("train", "validation", "test", "left_out")


def as_divided(here: "YourImages", trained: "YourImages") -> dict[str, tuple[str, ...]]:
    """The classes of data in splits: those of a run's training and validation stay in theirs.

    A class is known by its name, so that no folder that was moved, copied or added to is tested on
    what was learned from. Where the run's own data, still at their place, hold other contents in
    every class of a shared name, this is another data set, and all of it is tested.

    Args:
        here: the data.
        trained: the problem that the run was trained on.
    """
    kept = {name: getattr(trained, name) for name in SPLITS}
    if here.path == trained.path:
        return kept
    names, whole = here.names(), set().union(*kept.values())
    if _strangers(here, trained, sorted(whole.intersection(names))):
        return dict.fromkeys(SPLITS, ()) | {"test": names}
    if whole == set(names):  # the data as they were, at another place
        return kept
    train, validation = (
        tuple(name for name in kept[split] if name in names) for split in SPLITS[:2]
    )
    test = tuple(name for name in names if name not in {*train, *validation})
    return {"train": train, "validation": validation, "test": test, "left_out": ()}


def _strangers(here: "YourImages", trained: "YourImages", shared: list[str]) -> bool:
    """Whether classes of the same names hold something else."""
    try:
        pairs = [(here.digest((name,)), trained.digest((name,))) for name in shared]
    except (QuickstudyError, OSError):  # the run's own data are gone, and cannot tell
        return False
    return not any(same_contents(*pair) for pair in pairs)
