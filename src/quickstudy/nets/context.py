"""The permutation-invariant history encoder: a set of transitions, and the observation apart.

Rakelly et al., 2019 (PEARL, https://arxiv.org/abs/1903.08254): what matters of the past is the set
of its transitions, in any order; a policy acts on their summary and on the current observation.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.nets.memory import AtOnce, State, sums_since
from quickstudy.nets.mlp import MLP


class Pooling(eqx.Module):
    """How a set of encodings becomes one vector, through sums that can be kept."""

    @abc.abstractmethod
    def parts(self, written: Float[Array, "n w"]) -> Float[Array, "n s"]:
        """What each encoding adds to the sums."""

    @abc.abstractmethod
    def pool(
        self, sums: Float[Array, "n s"], counts: Float[Array, " n"]
    ) -> Float[Array, "n pooled"]:
        """The vector for given sums of so many encodings."""


class Mean(Pooling):
    """The mean; zero of nothing."""

    def parts(self, written: Float[Array, "n w"]) -> Float[Array, "n s"]:
        return written

    def pool(
        self, sums: Float[Array, "n s"], counts: Float[Array, " n"]
    ) -> Float[Array, "n pooled"]:
        return sums / jnp.maximum(counts, 1)[:, None]


class GaussianProduct(Pooling):
    """The product of one Gaussian factor per transition and a standard normal prior.

        N(z; μ, σ²) ∝ N(z; 0, 1) Π_i N(z; μ_i, σ_i²):   1/σ² = 1 + Σ 1/σ_i²,   μ = σ² Σ μ_i/σ_i²

    The policy reads μ and log σ², so that it knows how sure it is; nothing is drawn.
    """

    def parts(self, written: Float[Array, "n w"]) -> Float[Array, "n s"]:
        mean, spread = jnp.split(written, 2, axis=-1)
        # A precision, and no variance: it may be as good as 0, of a transition that tells nothing.
        precision = jax.nn.softplus(spread)
        return jnp.concatenate([precision * mean, precision], -1)

    def pool(
        self, sums: Float[Array, "n s"], counts: Float[Array, " n"]
    ) -> Float[Array, "n pooled"]:
        weighted, precision = jnp.split(sums, 2, axis=-1)
        variance = 1 / (1 + precision)
        return jnp.concatenate([variance * weighted, jnp.log(variance)], -1)


class Context(AtOnce):
    """The set of past transitions (o_{t−1}, a_{t−1}, r_{t−1}, o_t, done), pooled, beside o_t.

    Invariant to the order of what has happened, and not to the present: h_t = ρ(pool, x_t). An
    input x_t begins with the observation o_t and tells of a_{t−1}, r_{t−1} and done behind it.

    Attributes:
        write: φ, from a transition to its encoding.
        answer: ρ.
        pooling: the mean, or a product of Gaussians.
        observed: the size of an observation.
        features: the size of h_t.
    """

    write: MLP
    answer: MLP
    pooling: Pooling
    observed: int = eqx.field(static=True)

    @classmethod
    def create(
        cls,
        inputs: int,
        features: int = 64,
        *,
        observed: int,
        pooling: Pooling | None = None,
        key: PRNGKeyArray,
    ) -> "Context":
        """φ and ρ with one hidden layer of `features`; the key is consumed.

        Args:
            inputs: the size of x_t.
            features: the size of h_t.
            observed: the size of an observation.
            pooling: `GaussianProduct()` by default, as in the paper.
            key: consumed.

        Example:
            >>> memory = Context.create(7, 8, observed=2, key=jax.random.key(0))
            >>> memory.step(memory.initial(), jnp.ones(7))[1].shape
            (8,)
        """
        write_key, answer_key = jax.random.split(key)
        write = MLP(observed + inputs, (features, features), key=write_key)
        answer = MLP(features + inputs, (features, features), key=answer_key)
        return cls(write, answer, pooling or GaussianProduct(), observed, features=features)

    def initial(self) -> State:
        sums = self.write.layers[-1].bias.shape[0] + 1
        return jnp.zeros(sums), jnp.zeros(self.observed), jnp.zeros((), bool)

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        start, last, known = state
        seen = xs[:, : self.observed]
        before = jnp.concatenate([last[None], seen[:-1]])
        parts = self.pooling.parts(self.write(jnp.concatenate([before, xs], -1)))
        # At the very beginning there is an observation, but no transition that led to it.
        begins = resets.at[0].set(resets[0] | ~known)
        counted = jnp.concatenate([parts, jnp.ones((xs.shape[0], 1))], -1) * ~begins[:, None]
        sums = sums_since(counted, resets, start)
        pooled = self.pooling.pool(sums[:, :-1], sums[:, -1])
        hs = jax.nn.relu(self.answer(jnp.concatenate([pooled, xs], -1)))
        return (sums[-1], seen[-1], jnp.ones((), bool)), hs
