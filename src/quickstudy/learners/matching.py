"""Matching networks: a query is labelled by the support examples it attends to."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput, is_whole
from quickstudy.learners.learner import Learner, Predictor
from quickstudy.learners.losses import ABSENT
from quickstudy.learners.similarity import Similarity, cosine
from quickstudy.nets.memory import LSTM, pass_over
from quickstudy.nets.network import Linear, condition
from quickstudy.tasks.task import Examples, Task, demand_classes

Real = Bool[Array, " k"] | None


class MatchingContext(eqx.Module):
    """How embeddings get to see the support set: g(x_k, D^tr) and f(x, D^tr)."""

    @abc.abstractmethod
    def support(self, g: Float[Array, "k d"], real: Real = None) -> Float[Array, "k d"]:
        """g(x_k, D^tr) from all g'(x_k); rows that are not real count for nothing."""

    @abc.abstractmethod
    def query(
        self, f: Float[Array, "n d"], g: Float[Array, "k d"], real: Real = None
    ) -> Float[Array, "n d"]:
        """f(x, D^tr) from f'(x) and all real g(x_k, D^tr); every row by itself."""


class NoContext(MatchingContext):
    """Embeddings as they are."""

    def support(self, g: Float[Array, "k d"], real: Real = None) -> Float[Array, "k d"]:
        return g

    def query(
        self, f: Float[Array, "n d"], g: Float[Array, "k d"], real: Real = None
    ) -> Float[Array, "n d"]:
        return f


class FullContext(MatchingContext):
    """Full context embeddings, as in the paper's appendix.

    g(x_k, D^tr) = h→_k + h←_k + g'(x_k), by an LSTM over the support set in both directions;
    f(x, D^tr) by an LSTM that reads `reads` times: ĥ, c = LSTM(f'(x), [h, r], c), h = ĥ + f'(x),
    r = Σ_k softmax_k(h · g_k) g_k.

    Attributes:
        forward: h→.
        backward: h←.
        reader: the LSTM of f; its state is [h, r].
        reads: K, how often f attends to the support set.
    """

    forward: LSTM
    backward: LSTM
    reader: LSTM
    merge: Linear
    reads: int = eqx.field(static=True, default=5)

    def __check_init__(self):
        if not is_whole(self.reads):
            raise BadInput(
                f"reads is {self.reads}, and a query that never reads the support set is embedded "
                "as nothing; give a whole number of 1 or more, or context=NoContext()"
            )

    @classmethod
    def create(cls, features: int, *, reads: int = 5, key: PRNGKeyArray) -> "FullContext":
        """Contexts for embeddings of that many features; the key is consumed."""
        keys = jax.random.split(key, 4)
        forward, backward, reader = (LSTM.create(features, features, key=k) for k in keys[:3])
        merge = Linear.create(features, 4 * features, key=keys[3])
        return cls(forward, backward, reader, merge, reads)

    def support(self, g: Float[Array, "k d"], real: Real = None) -> Float[Array, "k d"]:
        there = _read(self.forward, g, real)
        back = _read(self.backward, g[::-1], None if real is None else real[::-1])
        return there + back[::-1] + g

    def query(
        self, f: Float[Array, "n d"], g: Float[Array, "k d"], real: Real = None
    ) -> Float[Array, "n d"]:
        where = jnp.ones(len(g), bool) if real is None else real

        def read_all(own: Float[Array, " d"]) -> Float[Array, " d"]:
            # The input of every read is f'(x): its product with the weights is taken once.
            driven = self.reader.drive(own[None])[0]

            def read(carry: Any, _: None) -> tuple[Any, None]:
                h, r, c = carry
                # The LSTM's hidden state is [h, r]: r comes in through weights of its own.
                (_, c), hidden = self.reader.advance((h, c), driven + self.merge(r[None])[0])
                h = hidden + own
                return (h, jax.nn.softmax(g @ h, where=where) @ g, c), None

            # From h = 0 all are attended to alike, so that the first r is the mean.
            mean = jnp.mean(g, 0, where=where[:, None])
            start = (jnp.zeros_like(own), mean, jnp.zeros_like(own))
            return jax.lax.scan(read, start, length=self.reads)[0][0]

        return jax.vmap(read_all)(f)


def _read(lstm: LSTM, xs: Float[Array, "k d"], real: Real) -> Float[Array, "k d"]:
    """What the LSTM says to every input, when it passes over those that are not real."""
    if real is None:
        return lstm.whole(xs, jnp.zeros(len(xs), bool))[1]
    return pass_over(lstm, xs, real)[1]


class Attention(eqx.Module):
    """The predictor: log Σ_k a(x, x_k) y_k, where a is a softmax over the support set."""

    f: Any
    context: MatchingContext
    g: Float[Array, "k d"]
    members: Float[Array, "k ways"]
    real: Real
    similarity: Similarity = eqx.field(static=True)
    sharpness: float = eqx.field(static=True)

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n ways"]:
        """log p(y | x)."""
        # In logarithms throughout: a small share would underflow to 0, whose logarithm has no
        # slope.
        shares = jax.nn.log_softmax(self._scores(x))[:, None]
        return jax.nn.logsumexp(jnp.where(self.members.T[None] > 0, shares, ABSENT), axis=-1)

    @compiled_once
    def attention(self, x: Float[Array, "n ..."]) -> Float[Array, "n k"]:
        """a(x, x_k): how much each query looks at each support example; rows sum to 1."""
        return jax.nn.softmax(self._scores(x))

    def _scores(self, x: Float[Array, "n ..."]) -> Float[Array, "n k"]:
        f = self.context.query(self.f(x), self.g, self.real)
        scores = self.sharpness * self.similarity(f, self.g)
        return scores if self.real is None else jnp.where(self.real[None], scores, ABSENT)


class Matching(Learner):
    """Matching networks (Vinyals et al., 2016, https://arxiv.org/abs/1606.04080).

    p(y | x) = Σ_k a(x, x_k) y_k,   a = softmax_k(s · similarity(f(x, D^tr), g(x_k, D^tr))).

    The paper's attention has s = 1; as cosines end at 1, the attention of 20 classes can then give
    the right one no more than 28 %, and larger s learns better.

    Attributes:
        embed: g, the embedding of support examples, from `[n, ...]` to `[n, d]`.
        f: that of queries; `None` for f = g, one network and one set of weights.
        context: `NoContext()`, or `FullContext.create(d, key=...)`.
        similarity: `cosine` (the paper), `dot_product` (the notes) or another.
        sharpness: s.
        loss: L, on log p.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.Matching(qs.MLP(2, (16, 8), key=jax.random.key(0)))
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0], [1.1, 0.1]], [0, 1, 1])
        >>> predictor = learner.adapt(support)
        >>> predictor(support.x).shape, predictor.attention(support.x).shape
        ((3, 2), (3, 3))
    """

    embed: Any
    f: Any = None
    context: MatchingContext = NoContext()
    similarity: Similarity = eqx.field(static=True, default=cosine)
    sharpness: float = eqx.field(static=True, default=1.0)

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """Embed the support set."""
        g = condition(self.embed, support.x)
        f = g if self.f is None else condition(self.f, support.x)
        embedded, real = self.context.support(g(support.x), support.real), support.real
        members = support.members()
        return Attention(f, self.context, embedded, members, real, self.similarity, self.sharpness)

    def check(self, task: Task) -> None:
        """Only classification has labels to share out."""
        demand_classes(task.support)
        super().check(task)
