"""What the stages of a trial are called: its episodes, or what comes before and after updates."""

from quickstudy.app.report.table import written
from quickstudy.evaluation.tasks import Estimate
from quickstudy.evaluation.trials import Returns, TrialEvaluation


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


def heads(evaluation: TrialEvaluation) -> list[str]:
    """What the columns of a table of rewards are called, after the actor's name."""
    names = [*columns(evaluation.policy, evaluation.stage)]
    return [*names, "steps, first and last episode"] if evaluation.ends_early else names


def cells(returns: Returns, evaluation: TrialEvaluation) -> list[str]:
    """What a table of rewards tells of an actor, a cell for each of `heads`.

    Args:
        returns: the actor's, as many as the evaluation's policy has.
        evaluation: whose table it is; where its episodes end early, their lengths are told.

    Example:
        >>> quick, slow = (Returns(e, (e, e), (e, e)) for e in (Estimate(2, 0.5), Estimate(9, 1)))
        >>> cells(slow, TrialEvaluation(quick, {}, 10))
        ['9 ± 1', '9 ± 1', '9 ± 1', '9 ± 1, 9 ± 1']
    """
    told = [written(x, "return") for x in columns(returns, evaluation.stage).values()]
    if not evaluation.ends_early:
        return told
    lengths = returns.lengths and (returns.lengths[0], returns.lengths[-1])
    return [*told, ", ".join(written(x, "return") for x in lengths)]


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
