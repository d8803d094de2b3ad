"""How many of one's own classes are for training, validation and test; whether they are there."""

from collections.abc import Collection

from quickstudy.errors import BadInput, DataError

Ratios = tuple[float, float, float]


def divided(classes: int, ways: int, asked: Ratios | None) -> tuple[float, ...]:
    """Three shares, or three numbers of classes.

    Args:
        classes: how many there are.
        ways: how many each split must have.
        asked: what a user gave; by default the usual shares, or numbers where one of these would
            be smaller than `ways`.

    Raises:
        BadInput: what was asked for is neither shares nor numbers.

    Example:
        >>> divided(100, 5, None), divided(15, 5, None), divided(10, 2, (6.0, 2.0, 2.0))
        ((0.64, 0.16, 0.2), (5, 5, 5), (6, 2, 2))
    """
    if asked is not None:
        return _asked(asked)
    from quickstudy.tasks.splits import RATIOS

    smallest = min(int(0.16 * classes), int(0.2 * classes))
    if smallest >= ways or classes < 3 * ways:
        return RATIOS
    others = (max(ways, int(0.16 * classes)), max(ways, int(0.2 * classes)))
    return (classes - sum(others), *others)


def _asked(given: Ratios) -> tuple[float, ...]:
    if sum(given) <= 1 + 1e-6:
        return given
    if not all(float(one).is_integer() for one in given):
        raise BadInput(
            f"--ratios are {' '.join(f'{one:g}' for one in given)}; give three shares of at most 1 "
            "in all, or three numbers of classes, such as 6 2 2"
        )
    return tuple(map(int, given))


def demand_enough(names: Collection[str], ways: int, path: str, split: str) -> None:
    """A split must have classes, and as many as its tasks.

    Raises:
        BadInput: it has none, or fewer.
    """
    if not names:
        raise BadInput(
            f"no class of {path} is in the split {split}; give --split test, or a problem that has "
            "one"
        )
    if len(names) < ways:
        raise BadInput(
            f"{ways}-way tasks need {ways} classes, and {path} has {len(names)} in the split "
            f"{split} ({', '.join(names)}); give fewer --ways, or more classes"
        )


def demand_there(names: Collection[str], there: Collection[str], path: str) -> None:
    """The classes of a run's split must be among those that are there.

    Raises:
        DataError: names the first that is not.
    """
    if missing := [name for name in names if name not in there]:
        raise DataError(
            f"{path} has no class {missing[0]!r}, which the run's split names; put it back, or "
            "test on other classes, by quickstudy evaluate RUN with --split or --on"
        )
