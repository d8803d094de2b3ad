"""One self-contained HTML page for a policy that acts: what it earns, episode by episode."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

from quickstudy.app.report import curves
from quickstudy.app.report.frame import (
    cost,
    document,
    origin,
    settings_table,
    test_command,
    training,
)
from quickstudy.app.report.markup import Html, note, section, table
from quickstudy.app.report.stages import cells, heads
from quickstudy.app.report.svg import Axis, Series, chart
from quickstudy.app.report.table import written
from quickstudy.evaluation.trials import Returns, TrialEvaluation

CURVES = {
    "return": ("Reward of a trial", "reward", 1.0),
    "entropy": ("Entropy of the policy", "nats", 1.0),
    "kl": ("KL divergence of an update", "10⁻³ nats", 1e3),
    "accepted": ("Steps that the trust region accepted", "share", 1.0),
    "value_error": ("Squared error of the value, halved", "variances", 1.0),
}
"""What training is watched by: what it is called, its unit, and how many of these make one."""
KINDS = {".gif": "image/gif", ".png": "image/png"}


@dataclass(frozen=True)
class PolicyStory:
    """Everything that is told of a run whose policy acts.

    Attributes:
        run: its folder, as the user wrote it.
        recipe: the recipe's name.
        about: what the recipe says of itself: "must reach", "source" ...
        settings: name, value and default of every setting.
        environment: of the run's environment.json.
        metrics: of the run's metrics.jsonl.
        evaluation: in test MDPs, if there is one.
        others: further evaluations, by name.
        picture: a GIF or PNG of one trial.
        missing: why there is no picture.
        stage: what one of an actor's rewards is of: an "episode", or after an "update".
        beside: what the policies of other runs earned, by what those runs did otherwise.
    """

    run: str
    recipe: str
    about: dict[str, str]
    settings: Sequence[tuple[str, Any, Any]]
    environment: dict[str, Any]
    metrics: Sequence[dict[str, Any]]
    evaluation: TrialEvaluation | None = None
    others: Mapping[str, TrialEvaluation] = field(default_factory=dict)
    picture: Path | None = None
    missing: str = ""
    stage: str = "episode"
    beside: Mapping[str, Returns] = field(default_factory=dict)

    @property
    def updated(self) -> bool:
        """Whether the policy adapts by updates, and not within a trial."""
        return self.stage == "update"


def policy_page(story: PolicyStory) -> str:
    """The page as text.

    Example:
        >>> story = PolicyStory("runs/a", "rl2-<x>", {}, [("steps", 10, 10)], {}, [])
        >>> "<h1>rl2-&lt;x&gt;</h1>" in policy_page(story)
        True
    """
    sections = [
        _headline(story),
        section("Reward", _reward(story)),
        section("One task" if story.updated else "One trial", _one_trial(story)),
        section("Training", training(story, _curves(story))),
        section("Settings", settings_table(story.settings)),
        section("Cost and machine", cost(story)),
    ]
    return document(f"{story.recipe}: {story.run}", sections)


def best_reference(evaluation: TrialEvaluation) -> str | None:
    """Who earned the most beside the policy, or nobody.

    Example:
        >>> from quickstudy.evaluation.tasks import Estimate
        >>> low, high = (Returns(Estimate(x, 0.0), ()) for x in (1.0, 2.0))
        >>> best_reference(TrialEvaluation(low, {"random": low, "optimum": high}, 10))
        'optimum'
    """
    known = evaluation.references
    return max(known, key=lambda name: known[name].total.mean) if known else None


def regret(policy: Returns, best: Returns) -> list[float]:
    """Σ_{j ≤ i} (R*_j − R_j) after each episode i: the reward that was missed so far.

    Example:
        >>> from quickstudy.evaluation.tasks import Estimate
        >>> earned = [Estimate(x, 0.0) for x in (1.0, 3.0)]
        >>> best = [Estimate(4.0, 0.0)] * 2
        >>> regret(Returns(earned[0], tuple(earned)), Returns(best[0], tuple(best)))
        [3.0, 4.0]
    """
    pairs = zip(best.episodes, policy.episodes, strict=True)
    return list(accumulate(b.mean - p.mean for b, p in pairs))


def _headline(story: PolicyStory) -> str:
    found = story.evaluation
    rows: list[tuple[str, Any]] = []
    if found is None:
        result = note("Not tested in unseen MDPs yet. To test:", test_command(story))
    else:
        shown, said = _result(story, found.policy)
        result = f'<p class="result">{escape(shown)}</p><p>{escape(said)}</p>'
        what = "test tasks" if story.updated else "test trials"
        rows.append((what, f"{found.trials:,}, each in an MDP drawn anew"))
    return (
        f"<header><h1>{escape(story.recipe)}</h1>{result}</header>{table([*rows, *origin(story)])}"
    )


def _result(story: PolicyStory, policy: Returns) -> tuple[str, str]:
    """The headline's figures, and what they are."""
    many, interval = len(policy.episodes), "mean and 95 % interval"
    if not story.updated:
        return written(policy.total, "return"), f"reward of a trial of {many} episodes: {interval}"
    before, after = (written(policy.episodes[n], "return") for n in (0, -1))
    updates = f"{many - 1} update{'s'[: many > 2]}"
    return f"{before} → {after}", f"reward of an episode before and after {updates}: {interval}"


def _reward(story: PolicyStory) -> str:
    found = story.evaluation
    if found is None:
        return note("Rewards beside the oracles' are measured by:", test_command(story))
    charts = [_per_stage(story, _rows(found))]
    if story.beside:
        runs = [("this run", found.policy), *story.beside.items()]
        charts.append(_per_stage(story, runs, ": this run and others"))
    best = best_reference(found)
    if best is not None and not story.updated:
        charts.append(_regrets(found, best))
    parts = [f'<div class="charts">{"".join(charts)}</div>', _rewards(found)]
    if story.beside:
        rows = [(name, *cells(earned, found)) for name, earned in story.beside.items()]
        parts.append(table(rows, ("other run", *heads(found))))
    if story.others:
        rows = [
            (name, *cells(other.policy, found), f"{other.trials:,}")
            for name, other in story.others.items()
        ]
        head = ("other evaluation", *heads(found))
        parts.append(table(rows, (*head, "tasks" if story.updated else "trials")))
    return "".join(parts)


def _rows(found: TrialEvaluation) -> list[tuple[str, Returns]]:
    """The policy, and the others from the best down."""
    beside = sorted(found.references.items(), key=lambda one: -one[1].total.mean)
    return [("policy", found.policy), *beside]


def _rewards(found: TrialEvaluation) -> Html:
    rows = [
        (Html("<b>policy</b>") if returns is found.policy else name, *cells(returns, found))
        for name, returns in _rows(found)
    ]
    return table(rows, ("reward", *heads(found)))


def _per_stage(story: PolicyStory, rows: list[tuple[str, Returns]], of: str = "") -> str:
    """The reward of each episode, or before and after each update; the first row is the policy."""
    first = 0 if story.updated else 1
    lines = []
    for number, (name, returns) in enumerate(rows):
        mine = number == 0
        means = [estimate.mean for estimate in returns.episodes]
        bars = [estimate.interval for estimate in returns.episodes] if len(means) <= 25 else []
        style = "marked" if mine and len(means) <= 25 else "line" if mine else "dashed"
        colour = min(number, 4)
        numbers = range(first, first + len(means))
        lines.append(Series(name, numbers, means, bars if mine else (), style, colour))
    if story.updated:
        title = "Reward of an episode before and after updates"
        return chart(lines, Axis("updates", whole=True), Axis("reward"), title + of)
    x = Axis("episode", whole=True)
    return chart(lines, x, Axis("reward"), "Reward of each episode" + of)


def _regrets(found: TrialEvaluation, best: str) -> str:
    """Cumulative regret against the best reference."""
    lines = []
    for number, (name, returns) in enumerate(_rows(found)):
        if name != best:
            values = regret(returns, found.references[best])
            style = "line" if returns is found.policy else "dashed"
            numbers = range(1, 1 + len(values))
            lines.append(Series(name, numbers, values, (), style, min(number, 4)))
    title = f"Reward missed so far, against {best}"
    return chart(lines, Axis("episode", whole=True), Axis("cumulative regret"), title)


def _curves(story: PolicyStory) -> Html:
    """What training is watched by, and the return in validation, where there are any."""
    metrics, charts = story.metrics, []
    for name, (title, unit, many) in CURVES.items():
        if story.updated and name == "return":
            title = "Reward of an episode after adaptation"
        steps, values = curves.thinned(metrics, name)
        tested = curves.thinned(metrics, f"validation_{name}", most=len(metrics))
        lines = [Series("training", steps, [many * value for value in values])] if steps else []
        if tested[0]:
            lines.append(Series("validation", *tested, style="marked", colour=1))
        if lines:
            charts.append(chart(lines, Axis("steps"), Axis(unit), title))
    return Html(f'<div class="charts">{"".join(charts)}</div>')


def _one_trial(story: PolicyStory) -> str:
    if story.picture is None:
        return note(story.missing) if story.missing else ""
    data = base64.b64encode(story.picture.read_bytes()).decode()
    kind = KINDS[story.picture.suffix]
    said = note("Others:", f"quickstudy play {story.run} --trial 1")
    image = f'<img class="trial" src="data:{kind};base64,{data}" alt="What the policy does">'
    return f'<div class="wide">{image}</div>{said}'
