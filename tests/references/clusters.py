"""Tasks of points in the plane, and a learner of them that is right in all that is promised."""

import equinox as eqx
import jax
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.learners.losses import Loss


class Clusters(eqx.Module):
    """Classes are points of the plane, their examples lie around them."""

    ways: int = eqx.field(static=True, default=3)
    shots: int = eqx.field(static=True, default=2)

    def sample(self, key):
        n = self.ways * self.shots
        drawn = jax.random.normal(key, (self.ways + 2 * n, 2))
        label = jnp.tile(jnp.arange(self.ways), 2 * self.shots)
        x = drawn[label] + 0.2 * drawn[self.ways :]
        support, query = (
            qs.Examples(x[i], label[i], self.ways) for i in (slice(n), slice(n, None))
        )
        return qs.Task(support, query)


class Right(qs.Learner):
    """Prototypes of the inputs themselves, each coordinate scaled by θ."""

    scale: jax.Array = eqx.field(default_factory=lambda: jnp.full(2, 0.01))
    loss: Loss = eqx.field(static=True, default=qs.cross_entropy)

    def adapt(self, support, *, key=None):
        members = jax.nn.one_hot(support.y, support.ways).T / 2
        centres = members @ (support.x * self.scale[None])
        return lambda x: qs.negative_squared_distance(x * self.scale[None], centres)
