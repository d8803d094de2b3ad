"""Training that has left the finite numbers: where, whose fault it is, and what helps."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from quickstudy.envs.door import GREATEST
from quickstudy.errors import NonFiniteLoss
from quickstudy.rl.adaptation import Trajectories
from quickstudy.rl.rollout import Rollout
from quickstudy.rl.scale import Moments
from quickstudy.runs import Run
from quickstudy.training.algorithm import Algorithm
from quickstudy.training.meta_training import MetaTraining, largest

RATES = "Lower the learning rate or the inner rate, or clip gradients harder"
UNTOLD = (
    "The weights are finite: see whether the environment returns rewards or observations that are "
    "not, or lower the inner rate"
)
LARGE = (
    f"Rewards or observations are too large for single precision, which holds the squares of their "
    f"sums: let the environment return numbers of at most {GREATEST:g}, better of about 1"
)
UNUSUAL = 1e4
"""Inputs and targets beyond it are told, where training diverges."""
KINDS = ("an observation", "", "a reward")
"""What is not finite, in the order of a step; the second is what the policy did."""


def demand_finite(
    values: dict[str, float],
    steps: tuple[int, int],
    run: Run | None,
    cause: Callable[[], str] = str,
) -> None:
    """Refuse metrics that are not finite.

    Args:
        values: by their names.
        steps: the first and the last of those that they are of.
        run: names its last good checkpoint.
        cause: asked if some are not, says why and what to do; nothing where it does not know.

    Raises:
        NonFiniteLoss: names them.

    Example:
        >>> demand_finite({"loss": float("nan")}, (0, 5), None)
        Traceback (most recent call last):
        quickstudy.errors.NonFiniteLoss: training: loss became infinite or not-a-number in steps ...
    """
    if bad := [name for name, value in values.items() if not np.isfinite(value)]:
        raise _refusal(", ".join(bad), steps, run, cause() or RATES)


def demand_scale(state: Any, steps: tuple[int, int], run: Run | None) -> None:
    """Refuse a running scale that is not finite, in which every reward would be paid as nothing.

    Args:
        state: of an algorithm.
        steps: the first and the last that it comes from.
        run: names its last good checkpoint.

    Raises:
        NonFiniteLoss: says that numbers are too large.
    """
    for moments in _parts(state, Moments):
        if not _all_finite(moments):
            raise _refusal("the running scale", steps, run, LARGE)


def _refusal(what: str, steps: tuple[int, int], run: Run | None, why: str) -> NonFiniteLoss:
    saved = [] if run is None else run.checkpoints.steps()
    where = (
        f"the last good checkpoint is {run.checkpoints.path(saved[0])}"
        if run and saved
        else "there is no checkpoint yet"
    )
    name = "training" if run is None else f"recipe {run.recipe.get('recipe', '?')}"
    return NonFiniteLoss(
        f"{name}: {what} became infinite or not-a-number in steps {steps[0]}–{steps[1]}; "
        f"{where}. {why}"
    )


class Step(NamedTuple):
    """What may not be finite of the steps of trials, on the axes of `real`.

    Attributes:
        observation: before acting.
        acted: actions, and how likely they were.
        reward: after it.
        real: which steps count.
    """

    observation: Array
    acted: tuple[Array, ...]
    reward: Array
    real: Array


def data_at_fault(
    algorithm: Algorithm, state: Any, key: PRNGKeyArray, bounds: tuple[int, int, int]
) -> str:
    """Whether tasks, or what a compiled environment returned, is not finite or too large, in words;
    nothing where it is not.

    The steps are taken once more, so that trainings that stay finite have nothing to look at.

    Args:
        algorithm: what a step is.
        state: before the first of these steps.
        key: as of `quickstudy.training.steps.advance`.
        bounds: the first step, the one to stop before, and how many the whole training has.
    """
    start, stop, steps = bounds
    if isinstance(algorithm, MetaTraining):
        return tasks_at_fault(algorithm, key, range(start, stop))
    if not _acts_compiled(algorithm, state, key):
        return ""
    for step in range(start, stop):
        batch = _collected(algorithm, state, jax.random.fold_in(key, step))
        for one in _parts(batch, Rollout, Trajectories):
            if found := _told(_step(one), step):
                return found
        state = _improved(algorithm, state, batch, np.float32(step / steps))
    return ""


def tasks_at_fault(algorithm: MetaTraining, key: PRNGKeyArray, steps: range | None) -> str:
    """Whether the tasks of these steps, or of a validation, are not finite or very large, in words;
    nothing where they are not.

    Args:
        algorithm: what sampled them.
        key: as of `quickstudy.training.steps.advance`, or of the validation.
        steps: None for a validation.
    """
    if steps is None:
        tasks, sampled, parts = algorithm.validation, algorithm.validation_episodes, 2
        keys = [("validation", key)]
    else:
        tasks, sampled, parts = algorithm.tasks, algorithm.meta_batch, 3
        keys = [(f"step {step}", jax.random.fold_in(key, step)) for step in steps]
    for when, one in keys:
        most = np.asarray(_largest(tasks, one, sampled, parts)).max(0)
        for what, size in zip(("inputs", "targets"), most, strict=True):
            if np.isinf(size):
                return (
                    f"In {when} tasks have {what} that are infinite or not-a-number: mend the data"
                )
            if size > UNUSUAL:
                return f"In {when} tasks have {what} of up to {size:.2g}: scale them to about 1"
    return ""


_largest = eqx.filter_jit(largest)


def weights_or_data(algorithm: Algorithm, state: Any, key: PRNGKeyArray) -> str:
    """Of a validation, whose trials are not kept: what to look at where the weights are finite."""
    if not _all_finite(eqx.filter(algorithm.learned(state), eqx.is_inexact_array)):
        return ""
    if isinstance(algorithm, MetaTraining):
        return tasks_at_fault(algorithm, key, None)
    return UNTOLD if _acts_compiled(algorithm, state, key) else ""


def _acts_compiled(algorithm: Algorithm, state: Any, key: PRNGKeyArray) -> bool:
    """Whether it acts in an environment whose returns nobody has checked; a host's are, where they
    come in."""
    if algorithm.host is not None:
        return False
    shapes = eqx.filter_eval_shape(algorithm.collect, state, key)
    return bool(list(_parts(shapes, Rollout, Trajectories)))


def _step(path: Any) -> Step:
    if isinstance(path, Rollout):
        acted = (path.action, *jax.tree.leaves(path.notes))
        return Step(path.seen.observation, acted, path.reward, path.real)
    return Step(path.observation, (path.action, path.log_prob), path.reward, path.real)


def _told(path: Step, step: int) -> str:
    """What the environment did first in some trial, before the policy did anything of the kind."""
    real = np.asarray(path.real)

    def per_step(x: Array, wrong: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        flags = wrong(np.asarray(x, np.float64))
        return flags.any(tuple(range(real.ndim, flags.ndim))) & real

    def bad(x: Array) -> np.ndarray:
        return per_step(x, lambda numbers: ~np.isfinite(numbers))

    acted = np.any([bad(x) for x in path.acted], axis=0)
    events = np.stack([bad(path.observation), acted, bad(path.reward)], -1)
    rows = events.reshape(-1, events.shape[-2] * len(KINDS))
    firsts = {KINDS[n % len(KINDS)] for n in rows.argmax(1)[rows.any(1)].tolist()}
    if wrong := [kind for kind in KINDS if kind and kind in firsts]:
        return (
            f"In step {step} the environment returned {' and '.join(wrong)} that is infinite or "
            "not-a-number, in an episode in which the policy's actions were finite until then: "
            "mend its reset or its step"
        )
    given = (path.observation, path.reward)
    vast = [per_step(x, lambda numbers: np.abs(numbers) > GREATEST).any() for x in given]
    return LARGE if any(vast) and not events.any() else ""


def _all_finite(tree: Any) -> bool:
    return all(np.isfinite(np.asarray(x)).all() for x in jax.tree.leaves(tree))


def _parts(tree: Any, *kinds: type) -> Iterator[Any]:
    """Everything of these kinds in a pytree."""
    leaves = jax.tree.leaves(tree, is_leaf=lambda x: isinstance(x, kinds))
    return (leaf for leaf in leaves if isinstance(leaf, kinds))


@eqx.filter_jit
def _collected(algorithm: Algorithm, state: Any, key: PRNGKeyArray) -> Any:
    return algorithm.collect(state, key)


@eqx.filter_jit
def _improved(algorithm: Algorithm, state: Any, batch: Any, progress: Any) -> Any:
    return algorithm.improve(state, batch, progress)[0]
