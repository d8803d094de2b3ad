"""What evaluations found, as values that are written as JSON and read back. Needs no JAX."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from quickstudy.evaluation.estimates import Estimate, number


class ClassAccuracy(NamedTuple):
    """How often queries of one class were answered rightly.

    Attributes:
        name: of the class.
        accuracy: a share.
        answers: of how many queries.
    """

    name: str
    accuracy: float
    answers: int


@dataclass(frozen=True)
class Evaluation:
    """What a learner does on many tasks.

    Attributes:
        metric: `accuracy` (a share), `squared_error`, or the name of a metric of one's own.
        after: once adapted to the support set.
        before: before adaptation.
        path: after 0, 1, 2 ... inner steps, for learners that adapt by steps; else empty.
        episodes: how many tasks.
        transductive: whether a query's prediction may depend on the other queries.
        scores: of each task, once adapted, in the order of the tasks: two evaluations on the same
            tasks are compared by `PairedDifference.of(one.scores, other.scores)`.
        ece: of classes, the expected calibration error of all answers' probabilities, a share;
            see `quickstudy.evaluation.calibration_error`.
        classes: where the tasks know their classes, as `Episodes` do, those that were asked for,
            the least accurate first.
    """

    metric: str
    after: Estimate
    before: Estimate
    path: tuple[Estimate, ...]
    episodes: int
    transductive: bool
    scores: tuple[float, ...] = ()
    ece: float | None = None
    classes: tuple[ClassAccuracy, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Evaluation":
        """The evaluation that `to_json` wrote; older ones have no `scores`, `ece` and `classes`."""
        names = ("metric", "episodes", "transductive")
        return cls(
            **{name: value[name] for name in names},
            after=Estimate.from_json(value["after"]),
            before=Estimate.from_json(value["before"]),
            path=tuple(map(Estimate.from_json, value["path"])),
            scores=tuple(map(number, value.get("scores", ()))),
            ece=value.get("ece"),
            classes=tuple(ClassAccuracy(*one) for one in value.get("classes", ())),
        )


@dataclass(frozen=True)
class Returns:
    """What an actor earned.

    Attributes:
        total: the reward of a whole trial.
        episodes: the reward of its first, second ... episode.
        lengths: the number of steps of each; empty where it is not known.
        successes: the share that succeeded at any step; empty where environments do not tell.
    """

    total: Estimate
    episodes: tuple[Estimate, ...]
    lengths: tuple[Estimate, ...] = ()
    successes: tuple[Estimate, ...] = ()

    @classmethod
    def of(cls, found: Any) -> "Returns":
        """From returns `[trials, episodes]`, or `Earned`: these, lengths and successes."""
        columns = [
            () if one is None else tuple(map(Estimate.of, np.asarray(one).T))
            for one in (found if isinstance(found, tuple) else (found,))
        ]
        returns = np.asarray(found[0] if isinstance(found, tuple) else found)
        return cls(Estimate.of(returns.sum(1)), *columns)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Returns":
        """What `TrialEvaluation.to_json` wrote of one actor; older files have no lengths, and no
        successes."""
        each = (value["episodes"], value.get("lengths", ()), value.get("successes", ()))
        columns = [tuple(Estimate.from_json(one) for one in estimates) for estimates in each]
        return cls(Estimate.from_json(value["total"]), *columns)


@dataclass(frozen=True)
class TrialEvaluation:
    """What a policy earns in many trials, and what others earn in the same MDPs.

    Attributes:
        policy: the policy's.
        references: the oracles' and baselines', by name.
        trials: how many trials.
        stage: what one of `Returns.episodes` is: an "episode" of a trial, or an "update" of a
            policy that adapts by gradients, the first being before any.
        scores: the policy's in each trial, in their order: the reward of the whole trial, or of
            an episode after the last update.
        ahead: by how much these are above each reference's: the mean over trials of the
            differences, which are paired, for all act in the same MDPs.
    """

    policy: Returns
    references: dict[str, Returns] = field(default_factory=dict)
    trials: int = 0
    stage: str = "episode"
    scores: tuple[float, ...] = ()
    ahead: dict[str, Estimate] = field(default_factory=dict)

    @property
    def ends_early(self) -> bool:
        """Whether some of the policy's episodes ended before others."""
        return any(length.interval > 0 for length in self.policy.lengths)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "TrialEvaluation":
        """The evaluation that `to_json` wrote; older ones have no `stage`, `scores` and `ahead`."""
        references = {k: Returns.from_json(v) for k, v in value["references"].items()}
        policy, stage = Returns.from_json(value["policy"]), value.get("stage", "episode")
        scores = tuple(map(number, value.get("scores", ())))
        ahead = {name: Estimate.from_json(one) for name, one in value.get("ahead", {}).items()}
        return cls(policy, references, value["trials"], stage, scores, ahead)
