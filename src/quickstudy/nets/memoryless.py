"""What remembers nothing: the baseline that shows what a memory is worth."""

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from quickstudy.nets.memory import AtOnce, State
from quickstudy.nets.mlp import MLP


class Memoryless(AtOnce):
    """The current observation only: h_t = f(o_t), an ordinary policy trained on many tasks.

    Of an input x_t = (o_t, a_{t−1}, r_{t−1}, d_{t−1}, ...) only o_t is read: the previous action
    and reward are a memory of one step, and would tell something of the task.

    Attributes:
        network: f.
        observed: the size of an observation; inputs begin with it.
        features: the size of h_t.
    """

    network: MLP
    observed: int = eqx.field(static=True)

    @classmethod
    def create(cls, features: int = 64, *, observed: int, key: PRNGKeyArray) -> "Memoryless":
        """f with two layers of `features`; the key is consumed.

        Args:
            features: the size of h_t.
            observed: the size of an observation.
            key: consumed.

        Example:
            >>> memory = Memoryless.create(8, observed=2, key=jax.random.key(0))
            >>> memory.step(memory.initial(), jax.numpy.ones(7))[1].shape
            (8,)
        """
        network = MLP(observed, (features, features), last=jax.nn.relu, key=key)
        return cls(network, observed, features=features)

    def initial(self) -> State:
        return ()

    def sequence(
        self, state: State, xs: Float[Array, "time d"], resets: Bool[Array, " time"]
    ) -> tuple[State, Float[Array, "time h"]]:
        return (), self.network(xs[:, : self.observed])

    @property
    def reach(self) -> int | None:
        return 0
