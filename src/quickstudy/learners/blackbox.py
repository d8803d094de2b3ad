"""Black-box meta-learning: a memory reads the support set, and answers."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Scalar

from quickstudy.compiling import compiled_once
from quickstudy.errors import BadInput
from quickstudy.learners.learner import Learner, Metrics, Predictor, Progress
from quickstudy.nets.memory import Memory, State, pass_over
from quickstudy.nets.network import Linear, condition
from quickstudy.tasks.task import Examples, Task

Labels = Float[Array, "n d"]


class SequenceLayout(eqx.Module):
    """How features and labels become what the memory reads; `tokens` have `size(d)` numbers more
    than the features, for labels of d numbers."""

    @abc.abstractmethod
    def size(self, labels: int) -> int:
        """How many numbers are added to the features."""

    @abc.abstractmethod
    def support(self, features: Float[Array, "n f"], labels: Labels) -> Float[Array, "n t"]:
        """What is read."""

    @abc.abstractmethod
    def query(self, features: Float[Array, "n f"], last: Float[Array, " d"]) -> Float[Array, "n t"]:
        """What is asked; `last` is the label of the last support example."""


class Paired(SequenceLayout):
    """Reads (x_i, y_i, 1) and asks (x, 0, 0): label and input arrive together."""

    def size(self, labels: int) -> int:
        return labels + 1

    def support(self, features: Float[Array, "n f"], labels: Labels) -> Float[Array, "n t"]:
        # The 1 tells an example from a query: a regression label may itself be 0.
        return jnp.concatenate([features, labels, jnp.ones((len(features), 1))], -1)

    def query(self, features: Float[Array, "n f"], last: Float[Array, " d"]) -> Float[Array, "n t"]:
        return jnp.concatenate([features, jnp.zeros((len(features), len(last) + 1))], -1)


class Shifted(SequenceLayout):
    """Reads (x_i, y_{i−1}) and asks (x, y_n): a label arrives one step after its input
    (Santoro et al., 2016, https://arxiv.org/abs/1605.06065)."""

    def size(self, labels: int) -> int:
        return labels

    def support(self, features: Float[Array, "n f"], labels: Labels) -> Float[Array, "n t"]:
        earlier = jnp.concatenate([jnp.zeros_like(labels[:1]), labels[:-1]])
        return jnp.concatenate([features, earlier], -1)

    def query(self, features: Float[Array, "n f"], last: Float[Array, " d"]) -> Float[Array, "n t"]:
        return jnp.concatenate([features, jnp.broadcast_to(last, (len(features), len(last)))], -1)


class SupportReader(eqx.Module):
    """The predictor: every query is answered from the same state of the memory."""

    embed: Any
    layout: SequenceLayout
    memory: Memory
    head: Linear
    state: State
    last: Float[Array, " d"]

    @compiled_once
    def __call__(self, x: Float[Array, "n ..."]) -> Float[Array, "n outputs"]:
        """The head's outputs; queries never see each other."""
        tokens = self.layout.query(self.embed(x), self.last)
        read = jax.vmap(self.memory.read, (None, 0))(self.state, tokens)
        return self.head(read)


class BlackBox(Learner):
    """A network with a memory learns f_adapt itself (Santoro et al., 2016,
    https://arxiv.org/abs/1605.06065; Mishra et al., 2018, https://arxiv.org/abs/1707.03141).

    φ is the memory's state after it has read the support set, (x_1, y_1) … (x_n, y_n); a query is
    one more input without a label, and its answer the head's output. The label of a class is its
    unit vector times √f, as loud as the f features beside it.

    Attributes:
        embed: from inputs `[n, ...]` to features `[n, f]`.
        memory: any `quickstudy.nets.memory.Memory`; a set memory ignores the order.
        head: from the memory's features to outputs; as many as there are ways.
        layout: `Paired()`, or `Shifted()` as in the first paper.
        loss: L.

    Example:
        >>> import jax, quickstudy as qs
        >>> learner = qs.BlackBox.create(
        ...     qs.MLP(2, (8,), key=jax.random.key(0)),
        ...     8,
        ...     outputs=3,
        ...     memory=qs.LSTM,
        ...     key=jax.random.key(1),
        ... )
        >>> support = qs.Examples.of([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], [0, 1, 2])
        >>> learner.adapt(support)(support.x).shape
        (3, 3)
    """

    embed: Any
    memory: Memory
    head: Linear
    layout: SequenceLayout = Paired()

    @classmethod
    def create(
        cls,
        embed: Any,
        features: int,
        *,
        outputs: int,
        memory: Any,
        layout: SequenceLayout | None = None,
        key: PRNGKeyArray,
        **settings: Any,
    ) -> "BlackBox":
        """A learner around a memory that is created to fit.

        Args:
            embed: from inputs to features.
            features: how many features.
            outputs: N, or the size of regression targets.
            memory: a class of memories, or a function `(inputs, *, key) -> Memory`, for example
                `functools.partial(LSTM.create, features=200)`.
            layout: `Paired()` by default.
            key: consumed.
            settings: `loss`.
        """
        layout = layout or Paired()
        memory_key, head_key = jax.random.split(key)
        inputs = features + layout.size(outputs)
        made = _create(memory, inputs, key=memory_key)
        head = Linear.create(made.features, outputs, key=head_key)
        return cls(embed, made, head, layout, **settings)

    def adapt(self, support: Examples, *, key: PRNGKeyArray | None = None) -> Predictor:
        """Read the support set from the first example to the last."""
        # Packed, so that the label that was read last stands at `count − 1`.
        return self._read(support.packed())[0]

    def _read(self, support: Examples) -> tuple[SupportReader, Float[Array, "n h"]]:
        """The predictor, and what the memory said to every support example; padding comes last."""
        embed = condition(self.embed, support.x)
        features = embed(support.x)
        labels = self._labels(support, features.shape[-1])
        tokens = self.layout.support(features, labels)
        if support.real is None:
            resets = jnp.zeros(len(support), bool)
            state, hs = self.memory.whole(tokens, resets)
        else:
            # `whole` would read padding into the state.
            state, hs = pass_over(self.memory, tokens, support.real)
        return self._reader(embed, state, labels[support.count - 1]), hs

    def _reader(self, embed: Any, state: State, last: Float[Array, " d"]) -> SupportReader:
        return SupportReader(embed, self.layout, self.memory, self.head, state, last)

    def unadapted(self, support: Examples) -> Predictor:
        """Asked before anything is read."""
        embed = condition(self.embed, support.x)
        # Only the label's shape counts here, so that any number of features will do.
        nothing = jnp.zeros_like(self._labels(support, 1)[-1])
        return self._reader(embed, self.memory.initial(), nothing)

    def check(self, task: Task) -> None:
        """The head has one output per class (or target), and the memory holds the support set."""
        outputs, wanted = self.head.bias.shape[0], task.support.outputs
        if outputs != wanted:
            raise BadInput(
                f"this black-box learner was built for {outputs} outputs and the tasks need "
                f"{wanted}; give such tasks, or train with --ways {wanted}"
            )
        reach = self.memory.reach
        if reach is not None and reach < len(task.support):
            raise BadInput(
                f"the memory looks {reach} inputs back and a support set has {len(task.support)}; "
                f"create it with past={len(task.support)} (--past {len(task.support)})"
            )
        super().check(task)

    def _labels(self, support: Examples, features: int) -> Labels:
        # f features of variance 1 have a norm of √f. A label of norm 1 among them is a whisper:
        # an LSTM on images never left chance, where with equal norms it learns within minutes.
        return support.y if support.ways is None else features**0.5 * support.members()


class SequenceBlackBox(BlackBox):
    """A black-box learner that is trained to answer *every* input of an episode, the support
    examples too, as each is presented (Santoro et al., 2016, https://arxiv.org/abs/1605.06065).

    Meta-training minimises the mean loss over the support sequence, where x_i is answered before
    y_i was read, and over the queries. It needs `layout=Shifted()`: with labels beside their
    inputs there would be nothing to answer.
    """

    layout: SequenceLayout = Shifted()

    def meta_loss(
        self, task: Task, *, key: PRNGKeyArray | None = None, progress: Progress = 1.0
    ) -> tuple[Scalar, Metrics]:
        """The loss of all answers of the episode."""
        support, query = task.support.packed(), task.query
        reader, hs = self._read(support)
        n, m = support.count, query.count
        passing = self.judge(self.head(hs), support)[0]
        last, metrics = self.judge(reader(query.x), query)
        # Both are means: weighted by their counts they become the mean over all answers.
        loss = (n * passing + m * last) / (n + m)
        return loss, {**metrics, "loss": loss}

    def check(self, task: Task) -> None:
        """Labels must come after their inputs."""
        if not isinstance(self.layout, Shifted):
            raise BadInput("SequenceBlackBox answers the support examples: give layout=Shifted()")
        super().check(task)


def _create(memory: Any, inputs: int, *, key: PRNGKeyArray) -> Memory:
    create = getattr(memory, "create", memory)
    return create(inputs, key=key)
