"""Whether the user's own data are the same as then, as far as what was kept of them tells."""


def same_contents(one: str, other: str) -> bool:
    """Whether two short names for data may be of the same data.

    Parts are divided by hyphens; of what an older version kept, the later parts are missing and
    tell nothing.

    Args:
        one: what `Problem.contents` gave, or a test's `contents`; nothing where it was not kept.
        other: likewise.

    Example:
        >>> same_contents("ab-12", "ab"), same_contents("ab-12", "ab-34")
        (True, False)
    """
    if not one or not other:
        return True
    return all(a == b for a, b in zip(one.split("-"), other.split("-"), strict=False))
