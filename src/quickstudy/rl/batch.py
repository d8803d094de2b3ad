"""What a policy is improved on: many trials, and what is true of each of their steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Scalar

from quickstudy.envs.environment import Action, State
from quickstudy.mesh import Metrics, total
from quickstudy.rl.policy import MetaPolicy, Thought
from quickstudy.rl.surrogate import Taken
from quickstudy.rl.trial import Seen


class Batch(NamedTuple):
    """Parts of trials, `[parts, time]`; a part is what gradients run through.

    Attributes:
        seen: before acting.
        action: a_t.
        log_prob: log π(a_t) when it was chosen.
        advantage: A_t, of mean 0 and variance 1 over the whole batch.
        target: what V_t should have been.
        real: which steps count.
        state: `[parts]`, the memory before the part's first step; `None` if that remembers nothing.
        spread: `[parts]`, the standard deviation of all targets, in which V's errors are measured.
    """

    seen: Seen
    action: Action
    log_prob: Float[Array, "parts time"]
    advantage: Float[Array, "parts time"]
    target: Float[Array, "parts time"]
    real: Bool[Array, "parts time"]
    state: State | None
    spread: Float[Array, " parts"]

    @property
    def taken(self) -> Taken:
        """The actions, of which surrogates are made."""
        return Taken(self.action, self.log_prob, self.advantage, self.real)


def mean_over(x: Float[Array, "..."], real: Bool[Array, "..."]) -> Scalar:
    """The mean of what is real, over all devices."""
    sums = total((jnp.sum(jnp.where(real, x, 0.0)), jnp.sum(real)))
    return sums[0] / jnp.maximum(sums[1], 1)


def mean_of_others(
    x: Float[Array, "trials time"], real: Bool[Array, "trials time"]
) -> Float[Array, "trials time"]:
    """What the other trials, of all devices, have on average at each time; 0 where there is none.

        b_it = Σ_{j≠i} x_jt / (n_t − 1),   n_t trials that are real at time t

    As a baseline of trial i it says nothing of what i itself did (Kool et al., 2019,
    https://openreview.net/forum?id=r1lgTGL5DE): a trial that is alone keeps all that it earned.

    Example:
        >>> mean = jax.vmap(mean_of_others, axis_name="tasks")  # one trial per device
        >>> x, real = jnp.array([[[1.0, 5.0]], [[3.0, 9.0]]]), jnp.array([[[1, 1]], [[1, 0]]]) > 0
        >>> mean(x, real)[0].tolist()
        [[3.0, 0.0]]
    """
    own = jnp.where(real, x, 0.0)
    sums, count = total((jnp.sum(own, 0), jnp.sum(real, 0)))
    return (sums[None] - own) / jnp.maximum(count[None] - real, 1)


def thoughts(policy: MetaPolicy, batch: Batch) -> Thought:
    """What the policy makes of all steps, `[parts, time]`."""
    return jax.vmap(policy.rethink)(batch.state, batch.seen)


def value_error(thought: Thought, batch: Batch) -> Float[Array, "parts time"]:
    """½ (V_t − target)², in units of the targets' variance."""
    return 0.5 * jnp.square((thought.value - batch.target) / batch.spread[:, None])


def gradient_of(
    loss: Callable[[MetaPolicy, Batch], tuple[Float[Array, "parts time"], dict[str, Array]]],
    policy: MetaPolicy,
    batch: Batch,
) -> tuple[Any, Metrics]:
    """The gradient of a loss per step, meaned over the real steps of all devices.

    Args:
        loss: `[parts, time]`, and what else is to be reported of every step.
        policy: its inexact arrays are what is differentiated.
        batch: this device's share.
    """
    parameters, rest = eqx.partition(policy, eqx.is_inexact_array)

    def summed(parameters: Any) -> tuple[Scalar, Metrics]:
        each, notes = loss(eqx.combine(parameters, rest), batch)
        sums = {k: jnp.sum(jnp.where(batch.real, v, 0.0)) for k, v in notes.items()}
        # What is not real may be infinite; it must not be multiplied by zero.
        return jnp.sum(jnp.where(batch.real, each, 0.0)), sums

    (value, sums), gradient = jax.value_and_grad(summed, has_aux=True)(parameters)
    # Sums, divided once by the count of all devices: a mean of the devices' means would weigh
    # unequal shares alike.
    gradient, sums, count = total((gradient, {**sums, "loss": value}, jnp.sum(batch.real)))
    share = 1 / jnp.maximum(count, 1)
    return jax.tree.map(lambda x: x * share, (gradient, sums))
