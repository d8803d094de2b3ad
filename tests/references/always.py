"""An actor that does always the same, and its trials."""

import equinox as eqx
import jax.numpy as jnp

from quickstudy.rl.rollout import rollout


class Always(eqx.Module):
    """One action, and a note of what it saw."""

    action: int = eqx.field(static=True)

    def begin(self, task):
        return jnp.zeros(())

    def act(self, state, seen, *, key):
        return state + 1, jnp.array(self.action), state


@eqx.filter_jit
def act(actor, trial, task, key, parts=1):
    return rollout(actor, trial, task, key, parts=parts)
