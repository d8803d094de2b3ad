"""One loop for every algorithm: compiled chunks of steps, and everything else between them."""

import contextlib
import time
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.checkpoint import save_arrays
from quickstudy.errors import CheckpointError, Interrupted, demand_key
from quickstudy.mesh import replicate
from quickstudy.progress import Reporter, Silent
from quickstudy.runs import Run
from quickstudy.training.algorithm import Algorithm
from quickstudy.training.finite import (
    data_at_fault,
    demand_finite,
    demand_scale,
    weights_or_data,
)
from quickstudy.training.pace import Pace, listening
from quickstudy.training.plan import Plan
from quickstudy.training.steps import advance, validate


class Fitted(NamedTuple):
    """What `fit` found.

    Attributes:
        best: what was learned at the best validation.
        last: what was learned at the last step.
        score: the best validation score.
    """

    best: Any
    last: Any
    score: float


class _Carry(NamedTuple):
    """What a checkpoint holds."""

    state: Any
    best: Any
    score: Float[Array, ""]


def fit(
    algorithm: Algorithm,
    plan: Plan,
    *,
    key: PRNGKeyArray,
    run: Run | None = None,
    report: Reporter | None = None,
) -> Fitted:
    """Run `plan.steps` steps of an algorithm; step s uses `fold_in(key, s)`, so that a resumed
    training is the same training.

    Args:
        algorithm: what a step is, and what validation is.
        plan: how many steps, and how often to validate.
        key: consumed.
        run: see `train`.
        report: see `train`.

    Raises:
        BadInput: `key` is none of JAX's.
        NonFiniteLoss: names the step and the last good checkpoint.
        Interrupted: Ctrl-C; the state is saved in the run's folder.
        CheckpointError: the folder cannot be written, or another training writes to it; what it
            holds can be resumed.

    Example:
        >>> import jax, optax, quickstudy as qs
        >>> trial = qs.Trial(qs.Bandit(arms=2), episodes=2)
        >>> memory = qs.GRU.create(trial.inputs, 4, key=jax.random.key(0))
        >>> policy = qs.MetaPolicy.create(trial, memory)
        >>> rl2 = qs.RL2(policy, trial, qs.PPO(optax.adam(1e-2)), trials=4, validation_trials=4)
        >>> type(qs.fit(rl2, qs.Plan(steps=1), key=jax.random.key(1)).best).__name__
        'MetaPolicy'
    """
    demand_key(key)
    with contextlib.nullcontext() if run is None else run.alone():
        return _fitted(algorithm, plan, key, run, report or Silent())


def _fitted(
    algorithm: Algorithm, plan: Plan, key: PRNGKeyArray, run: Run | None, report: Reporter
) -> Fitted:
    # One for the steps, and one for validations, which all meet the same tasks.
    keys = jax.random.split(key)
    step, carry = _begin(algorithm, run)
    algorithm, carry, keys = replicate((algorithm, carry, keys))
    began, pace = time.monotonic() - _seconds_before(run), Pace(plan.validate_every, plan.steps)
    report.start(step, plan.steps)
    try:
        with listening(run is not None) as stopped:
            while step < plan.steps:
                stop = pace.next_stop(step)
                carry, values = _advance(algorithm, carry, keys, (step, stop, plan), run)
                pace.took(stop - step)
                step = stop
                if run is not None:
                    run.log({"step": step, **values, "seconds": time.monotonic() - began})
                    if _validates(step, plan) or stopped.is_set():
                        _save(run, step, carry, _best(algorithm, carry))
                report.update(step, values)
                if stopped.is_set() and run is not None:
                    raise Interrupted(
                        f"stopped at step {step} of {plan.steps}; the state is saved in "
                        f"{run.folder}. Continue with: {run.resuming}"
                    )
    finally:
        report.close()
    return Fitted(_best(algorithm, carry), algorithm.learned(carry.state), float(carry.score))


def _advance(
    algorithm: Algorithm,
    carry: _Carry,
    keys: Array,
    where: tuple[int, int, Plan],
    run: Run | None,
) -> tuple[_Carry, dict[str, float]]:
    """Train from one step to another, validate if it is time, and demand finite numbers."""
    step, stop, plan = where
    taken = (algorithm, carry.state, keys[0], (step, stop, plan.steps))
    state, metrics = advance(*taken)
    values = {name: float(value) for name, value in metrics.items()}
    # Before anything is saved, so that the newest checkpoint is always a good one.
    demand_finite(values, (step, stop), run, lambda: data_at_fault(*taken))
    demand_scale(state, (step, stop), run)
    carry = carry._replace(state=state)
    if _validates(stop, plan):
        carry, found = _validate(algorithm, carry, keys[1])
        # No score is below not-a-number: the untrained weights would silently remain the best.
        after = (algorithm, carry.state, keys[1])
        demand_finite(found, (stop, stop), run, lambda: weights_or_data(*after))
        values |= found
    return carry, values


def _save(run: Run, step: int, carry: _Carry, best: Any) -> None:
    try:
        # In this order: a run whose last checkpoint is there has its learner.
        save_arrays(run.learner_file, best, run.recipe)
        run.checkpoints.save(step, carry)
    except CheckpointError as error:
        raise CheckpointError(f"{error}, then continue with: {run.resuming}") from error


def _best(algorithm: Algorithm, carry: _Carry) -> Any:
    return eqx.combine(carry.best, algorithm.learned(carry.state))


def _validates(step: int, plan: Plan) -> bool:
    return step % plan.validate_every == 0 or step == plan.steps


def _begin(algorithm: Algorithm, run: Run | None) -> tuple[int, _Carry]:
    """The first state, or that of the run's newest checkpoint."""
    state = algorithm.init()
    best = eqx.filter(algorithm.learned(state), eqx.is_array)
    carry = _Carry(state, best, jnp.array(-jnp.inf))
    if run is None:
        return 0, carry
    step, carry = run.checkpoints.restore(carry) or (0, carry)
    run.goes_on(step)
    return step, carry


def _seconds_before(run: Run | None) -> float:
    """How long the run has trained already, before it was resumed."""
    earlier = [] if run is None else run.metrics()
    return float(earlier[-1].get("seconds", 0.0)) if earlier else 0.0


def _validate(
    algorithm: Algorithm, carry: _Carry, key: PRNGKeyArray
) -> tuple[_Carry, dict[str, float]]:
    found = validate(algorithm, carry.state, key)
    if float(found["score"]) > float(carry.score):
        best = eqx.filter(algorithm.learned(carry.state), eqx.is_array)
        carry = carry._replace(best=best, score=found["score"])
    return carry, {f"validation_{name}": float(value) for name, value in found.items()}
