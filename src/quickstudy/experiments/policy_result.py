"""What a policy earned, episode by episode or update by update: beside the optimum, never alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from quickstudy.evaluation.estimates import Estimate
from quickstudy.evaluation.measured import Returns, TrialEvaluation
from quickstudy.experiments.metrics import written
from quickstudy.experiments.result import Result, about
from quickstudy.experiments.sections import (
    GREY,
    MOST_MARKED,
    Axis,
    Chart,
    Grid,
    Headline,
    Line,
    Section,
    Strong,
)


@dataclass(frozen=True)
class PolicyResult(Result):
    """An evaluation of a policy.

    Attributes:
        evaluation: of `quickstudy.evaluate_policy`.
        definition: which environment it is, and what else a score depends on, by name.
        beside: what the policies of other runs earned, by what those runs did otherwise; drawn,
            but not written to the file.

    Example:
        >>> earned = Returns(Estimate(3.0, 0.1), (Estimate(1.0, 0.1), Estimate(2.0, 0.1)))
        >>> found = TrialEvaluation(earned, {}, 100)
        >>> PolicyResult(found, recipe="rl2", data="Bandit-v1", split="test").headline.figure
        '3.00 ± 0.10'
    """

    evaluation: TrialEvaluation
    definition: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, Returns] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """Reward."""
        return "return"

    @property
    def scores(self) -> tuple[float, ...]:
        """The policy's in each trial."""
        return self.evaluation.scores

    @property
    def updated(self) -> bool:
        """Whether the policy adapts by updates, and not within a trial."""
        return self.evaluation.stage == "update"

    @property
    def headline(self) -> Headline:
        """The reward of the whole trial; or of an episode before and after all updates."""
        found, many = self.evaluation, len(self.evaluation.policy.episodes)
        tasks = "tasks" if self.updated else "trials"
        where = f"on {found.trials:,} {self.split} {tasks} of {self.data}: mean and 95 % interval"
        if not self.updated:
            said = f"reward of a trial of {many} episodes {where}"
            return Headline(written(found.policy.total, "return"), said)
        before, after = (written(found.policy.episodes[n], "return") for n in (0, -1))
        updates = f"{many - 1} update{'s'[: many > 2]}"
        return Headline(
            f"{before} → {after}", f"reward of an episode before and after {updates} {where}"
        )

    def rows(self) -> Grid:
        """The policy's rewards, and the references' from the best down."""
        (policy, mine), *references = actors(self.evaluation)
        rows = [(Strong(policy), *cells(mine, self.evaluation))]
        rows += [(name, *cells(returns, self.evaluation)) for name, returns in references]
        return Grid(rows, ("reward", *heads(self.evaluation)))

    def facts(self) -> list[tuple[str, str]]:
        """How many trials, and in what; and how far the policy is from the best reference."""
        found, tasks = self.evaluation, "tasks" if self.updated else "trials"
        listed = self.tasks.get("settings", {}).get("listed")
        met = f"in {listed} listed tasks in turn" if listed else "each in an MDP drawn anew"
        facts = [(tasks, f"{found.trials:,}, {met}"), *self.definition.items()]
        best = best_reference(found)
        if best not in found.ahead:
            return facts
        of = "after the last update" if self.updated else "in a whole trial"
        apart = f"{written(found.ahead[best], 'return')} {of}, paired over {tasks}"
        return [*facts, (f"policy − {best}", apart)]

    def charts(self) -> list[Chart]:
        """The reward of each episode, or before and after each update."""
        return [_per_stage(self.evaluation, actors(self.evaluation))]

    def sections(self) -> list[Section]:
        """The rewards; of trials also the regret; and other runs' rewards."""
        found, charts, grids = self.evaluation, self.charts(), [self.rows()]
        if self.beside:
            runs = [("this run", found.policy), *self.beside.items()]
            charts.append(_per_stage(found, runs, ": this run and others"))
            rows = [(name, *cells(earned, found)) for name, earned in self.beside.items()]
            grids.append(Grid(rows, ("other run", *heads(found))))
        best = best_reference(found)
        # What random actions earn is no bound that a policy could miss.
        if best is not None and best != "random" and not self.updated:
            charts.append(_regrets(found, best))
        return [Section("Reward", [*charts, *grids, Grid(self.facts())])]

    def compared(self, others: Mapping[str, Result]) -> Grid:
        """Their rewards, and on which tasks."""
        found = self.evaluation
        rows = [
            (
                name,
                *cells(other.evaluation.policy, found),
                other.data,
                f"{other.evaluation.trials:,}",
            )
            for name, other in others.items()
            if isinstance(other, PolicyResult)
        ]
        last = "tasks" if self.updated else "trials"
        return Grid(rows, ("other evaluation", *heads(found), "data", last))

    def beside_others(self, others: Mapping[str, Result]) -> "PolicyResult":
        """With what their policies earned."""
        earned = {
            name: one.evaluation.policy
            for name, one in others.items()
            if isinstance(one, PolicyResult)
        }
        return replace(self, beside=earned)

    def to_json(self) -> dict[str, Any]:
        """The evaluation's fields, and those of the definition."""
        return {**self.definition, **self.noted(), **self.evaluation.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any], **missing: Any) -> "PolicyResult":
        """What `to_json` wrote, or version 0.1."""
        found = TrialEvaluation.from_json(value)
        # Version 0.1 said nothing of data, but of the environment.
        known = {"data": value["environment"]} if "environment" in value else {}
        named = about(value, {**missing, **known})
        taken = {*named, *found.to_json()}
        definition = {name: one for name, one in value.items() if name not in taken}
        return cls(found, definition, **named)


def actors(found: TrialEvaluation) -> list[tuple[str, Returns]]:
    """The policy, and the others from the best down."""
    beside = sorted(found.references.items(), key=lambda one: -_earned(one[1], found.stage))
    return [("policy", found.policy), *beside]


def best_reference(found: TrialEvaluation) -> str | None:
    """The name of the reference that earned the most, if there is one.

    Example:
        >>> low, high = (Returns(Estimate(x, 0.0), ()) for x in (1.0, 2.0))
        >>> best_reference(TrialEvaluation(low, {"random": low, "optimum": high}, 10))
        'optimum'
    """
    known = found.references
    return max(known, key=lambda name: _earned(known[name], found.stage)) if known else None


def _earned(returns: Returns, stage: str) -> float:
    """What actors are ranked by: the whole trial, or what is earned after the last update."""
    return (returns.episodes[-1] if stage == "update" else returns.total).mean


def regret(policy: Returns, best: Returns) -> list[float]:
    """Σ_{j ≤ i} (R*_j − R_j) after each episode i: the reward that was missed so far.

    Example:
        >>> earned = [Estimate(x, 0.0) for x in (1.0, 3.0)]
        >>> best = [Estimate(4.0, 0.0)] * 2
        >>> regret(Returns(earned[0], tuple(earned)), Returns(best[0], tuple(best)))
        [3.0, 4.0]
    """
    pairs = zip(best.episodes, policy.episodes, strict=True)
    return list(accumulate(b.mean - p.mean for b, p in pairs))


def heads(found: TrialEvaluation) -> list[str]:
    """What the columns of a table of rewards are called, after the actor's name."""
    names = [*columns(found.policy, found.stage)]
    told = ["steps"] if found.ends_early else []
    told += ["successes"] if found.policy.successes else []
    return [*names, *(f"{what}, {end} episode" for what in told for end in ("first", "last"))]


def cells(returns: Returns, found: TrialEvaluation) -> list[str]:
    """What a table of rewards tells of an actor, a cell for each of `heads`.

    Args:
        returns: the actor's, as many as the evaluation's policy has.
        found: whose table it is; where its episodes end early, their lengths are told.

    Example:
        >>> quick, slow = (Returns(e, (e, e), (e, e)) for e in (Estimate(2, 0.5), Estimate(9, 1)))
        >>> cells(slow, TrialEvaluation(quick, {}, 10))
        ['9.0 ± 1.0', '9.0 ± 1.0', '9.0 ± 1.0', '9.0 ± 1.0', '9.0 ± 1.0']
    """
    told = [written(x, "return") for x in columns(returns, found.stage).values()]
    if found.ends_early:
        told += _ends(returns.lengths, "return")
    if found.policy.successes:
        told += _ends(returns.successes, "accuracy")
    return told


def _ends(estimates: tuple[Estimate, ...], metric: str) -> list[str]:
    """Of the first episode and of the last; nothing of an actor of which it is not known."""
    return [written(estimates[n], metric) if estimates else "" for n in (0, -1)]


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


def _per_stage(found: TrialEvaluation, rows: list[tuple[str, Returns]], of: str = "") -> Chart:
    """The reward of each episode, or before and after each update; the first row is the policy."""
    first, lines = 0 if found.stage == "update" else 1, []
    for number, (name, returns) in enumerate(rows):
        means = [each.mean for each in returns.episodes]
        marked = number == 0 and len(means) <= MOST_MARKED
        bars = [each.interval for each in returns.episodes] if marked else ()
        style = "marked" if marked else "dashed" if number else "line"
        numbers = range(first, first + len(means))
        lines.append(Line(name, numbers, means, bars, style, min(number, GREY)))
    if found.stage == "update":
        title, x = "Reward of an episode before and after updates", Axis("updates", whole=True)
    else:
        title, x = "Reward of each episode", Axis("episode of the trial", whole=True)
    return Chart(title + of, x, Axis("reward"), lines)


def _regrets(found: TrialEvaluation, best: str) -> Chart:
    """Cumulative regret against the best reference."""
    lines = []
    for number, (name, returns) in enumerate(actors(found)):
        if name != best:
            values = regret(returns, found.references[best])
            style = "dashed" if number else "line"
            numbers = range(1, 1 + len(values))
            lines.append(Line(name, numbers, values, (), style, min(number, GREY)))
    x, y = Axis("episode of the trial", whole=True), Axis("cumulative regret")
    return Chart(f"Reward missed so far, against {best}", x, y, lines)
