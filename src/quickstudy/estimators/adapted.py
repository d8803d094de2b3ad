"""A learner of the library as the head of an estimator: adapted to the support set."""

import numbers
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.utils import check_random_state

from quickstudy.errors import BadInput
from quickstudy.estimators import choice
from quickstudy.estimators.heads.labelled import Labelled
from quickstudy.learners.adapted import Adapted
from quickstudy.learners.learner import Learner, demand_taken
from quickstudy.learners.losses import SURE
from quickstudy.tasks.task import Examples, Task, as_inputs


@dataclass(frozen=True, eq=False)
class AdaptedScores:
    """The predictor φ = f_adapt(θ, D^tr), from inputs to scores as NumPy arrays.

    Attributes:
        predictor: φ.
        outputs: how many of its outputs count: the classes, or the size of a target.
        alone: whether inputs may be answered in parts, for no answer depends on the others.
        bounded: whether its outputs s are from 0 to 1; scores are then their log-odds,
            log s / (1 − s), which a softmax can take.
    """

    predictor: Any
    outputs: int
    alone: bool
    bounded: bool = False

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The outputs `[n, outputs]` for inputs `[n, ...]`, in float64."""
        n = len(x)
        if self.alone:  # padded, so that one program serves many numbers of inputs
            x = np.concatenate([x, np.repeat(x[:1], _padded(n) - n, 0)])
        answers = _answer(self.predictor, as_inputs(jnp.asarray(_narrow(x))))
        scores = np.asarray(answers, np.float64)[:n, : self.outputs]
        _demand_finite(scores, x)
        if not self.bounded:
            return scores
        kept = np.clip(scores, SURE, 1 - SURE)
        return np.log(kept / (1 - kept))


def demand_learner(learner: Any) -> None:
    """Raise `BadInput` for what is no learner."""
    if not isinstance(learner, Learner):
        raise BadInput(
            f"learner is {learner!r}; give a learner with its weights, as quickstudy.load(RUN) "
            "returns, quickstudy.Prototypical(network), or None"
        )


def adapted(learner: Learner, x: np.ndarray, y: np.ndarray, ways: int, seed: int) -> AdaptedScores:
    """Adapt a learner to a support set.

    Args:
        learner: trained or not.
        x: uint8 images `[n, h, w, c]`, or features `[n, d]`.
        y: class numbers `[n]`, or targets `[n, d]`.
        ways: N; 0 for targets.
        seed: of learners that adapt at random.

    Raises:
        BadInput: the learner cannot take such a support set.
    """
    labels = y.astype(np.int32) if ways else _narrow(y)
    inputs = as_inputs(jnp.asarray(_narrow(x)))
    support = Examples(inputs, jnp.asarray(labels), ways or None)
    support = _taken(learner, support)
    predictor = _adapt(learner, support, jax.random.key(seed))
    outputs, alone = ways or support.outputs, not learner.transductive
    return AdaptedScores(predictor, outputs, alone, learner.bounded_scores)


def judged_learner(
    learner: Learner, examples: Labelled, seed: int
) -> tuple[AdaptedScores, choice.Held]:
    """The learner adapted to all examples, and its scores on folds that were held out.

    Where none can be held out, T = 1: a learner's outputs are trained as they are.
    """

    def scores_of(part: Labelled, x: np.ndarray) -> np.ndarray:
        return adapted(learner, part.x, part.y, part.ways, seed)(x)

    whole = adapted(learner, examples.x, examples.y, examples.ways, seed)
    held = choice.by_folds(scores_of, examples, choice.FOLDS)
    one = choice.Held.of("learner", learner, held, examples)
    if one.calibration.examples:
        return whole, one
    return whole, replace(one, calibration=replace(one.calibration, temperature=1.0))


def seed_of(random_state: Any) -> int:
    """The seed of a setting: itself, or one that is drawn as in scikit-learn.

    Raises:
        BadInput: it is no whole number that JAX can take, no RandomState and not None.
    """
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(2**31 - 1))
    whole = isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool)
    if not whole or not -(2**63) <= int(random_state) < 2**63:
        raise BadInput(
            f"random_state is {random_state!r}; give a whole number, such as 0, None or a "
            "numpy.random.RandomState"
        )
    return int(random_state)


def _taken(learner: Learner, support: Examples) -> Examples:
    """The support set as the learner can take it: among more classes, if it has more outputs."""
    try:
        demand_taken(learner, Task(support, support))
    except BadInput:
        outputs = _outputs(learner, support)
        if support.ways is None or outputs is None or outputs <= support.ways:
            raise
        support = support.among(outputs)
        demand_taken(learner, Task(support, support))
    return support


def _outputs(learner: Learner, support: Examples) -> int | None:
    """How many outputs its network has: those of the predictor that has not learned yet; `None`
    where it cannot take the inputs."""

    def outputs(one: Learner, s: Examples) -> Any:
        predictor = one.unadapted(s)
        # Without its door, which refuses another number of outputs than of classes.
        return (predictor.predictor if isinstance(predictor, Adapted) else predictor)(s.x)

    try:
        shape = eqx.filter_eval_shape(outputs, learner, support)
    except (TypeError, ValueError, IndexError):
        return None
    return shape.shape[-1] if hasattr(shape, "shape") else None


@eqx.filter_jit
def _adapt(learner: Learner, support: Examples, key: Any) -> Any:
    return learner.adapt(support, key=key)


@eqx.filter_jit
def _answer(predictor: Any, x: Any) -> Any:
    return predictor(x)


def _narrow(x: np.ndarray) -> np.ndarray:
    """Numbers in single precision, as learners compute.

    Raises:
        BadInput: it cannot hold them.
    """
    if x.dtype.kind != "f":
        return x
    most = np.max(np.abs(x), initial=0)
    if most > np.finfo(np.float32).max:
        raise BadInput(
            f"the largest number is {most:.2g}, and a learner computes in single precision, which "
            "holds 3.4e+38 at most; scale X (and the targets) to about 1"
        )
    return x.astype(np.float32)


def _demand_finite(scores: np.ndarray, x: np.ndarray) -> None:
    if not np.isfinite(scores).all():
        raise BadInput(
            "the learner's outputs are infinite or not-a-number, for inputs of up to "
            f"{np.max(np.abs(x)):.2g}; scale X to what it was trained on, or to about 1. If it is, "
            "adaptation itself diverges: lower the learner's inner rate"
        )


def _padded(n: int) -> int:
    """The power of two from n on."""
    return 1 << max(n - 1, 0).bit_length()
