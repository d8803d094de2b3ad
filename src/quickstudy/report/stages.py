"""What the stages of a trial are called: its episodes, or what comes before and after updates."""

from quickstudy.evaluation import Estimate
from quickstudy.trial_evaluation import Returns


def stage_names(stage: str, count: int) -> list[str]:
    """The names of so many stages, in pictures.

    Args:
        stage: "episode", or "update" for a policy that adapts by gradients.
        count: how many there are.

    Example:
        >>> stage_names("episode", 2)
        ['episode 1', 'episode 2']
        >>> stage_names("update", 3)
        ['before any update', 'after update 1', 'after update 2']
    """
    if stage == "update":
        return ["before any update", *(f"after update {n}" for n in range(1, count))]
    return [f"episode {n + 1}" for n in range(count)]


def columns(returns: Returns, stage: str) -> dict[str, Estimate]:
    """What a table tells of an actor: its trial, or what it earns after every update.

    Example:
        >>> low, high = Estimate(1.0, 0.1), Estimate(2.0, 0.1)
        >>> [*columns(Returns(high, (low, high)), "update")]
        ['before', '1 update']
    """
    if stage == "episode":
        first, last = returns.episodes[0], returns.episodes[-1]
        return {"whole trial": returns.total, "first episode": first, "last episode": last}
    names = ("before", *(f"{n} update{'s'[: n > 1]}" for n in range(1, len(returns.episodes))))
    return dict(zip(names, returns.episodes, strict=True))
