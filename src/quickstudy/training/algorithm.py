"""What a training loop drives: an algorithm that collects what a step learns from, and improves."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, PRNGKeyArray

from quickstudy.mesh import Metrics


@runtime_checkable
class Algorithm(Protocol):
    """What `fit` drives. An implementation is a pytree; its state is a pytree of arrays.

    All methods are pure. They are compiled together, many steps in one call, unless the algorithm
    acts on a host: then `collect` and `validate` run outside compiled programs, and repeat
    themselves for the same key.
    """

    @property
    def host(self) -> Any:
        """What steps its environments outside compiled programs, a `quickstudy.envs.host.Host`;
        `None` if there is nothing of the kind."""
        ...

    def init(self) -> Any:
        """The state before the first step."""
        ...

    def collect(self, state: Any, key: PRNGKeyArray) -> Any:
        """What a step learns from, a pytree of arrays."""
        ...

    def improve(self, state: Any, batch: Any, progress: Float[Array, ""]) -> tuple[Any, Metrics]:
        """A better state, from what was collected with this one. Metrics must hold a `loss`.

        Args:
            state: the one that collected.
            batch: what `collect` gave.
            progress: the share of the training's steps that are done.
        """
        ...

    def validate(self, state: Any, key: PRNGKeyArray) -> Metrics:
        """What validation finds. Metrics must hold a `score`, larger is better."""
        ...

    def learned(self, state: Any) -> Any:
        """What was learned by then: the pytree that is exported and evaluated."""
        ...


def update(
    algorithm: Algorithm, state: Any, key: PRNGKeyArray, progress: Float[Array, ""]
) -> tuple[Any, Metrics]:
    """One step: collect, and improve. The key is consumed.

    Example:
        >>> import jax, optax, quickstudy as qs
        >>> trial = qs.Trial(qs.Bandit(arms=2), episodes=2)
        >>> memory = qs.GRU.create(trial.inputs, 4, key=jax.random.key(0))
        >>> policy = qs.MetaPolicy.create(trial, memory)
        >>> rl2 = qs.RL2(policy, trial, qs.PPO(optax.adam(1e-2)), trials=4, validation_trials=4)
        >>> state, metrics = jax.jit(update)(rl2, rl2.init(), jax.random.key(1), 0.0)
        >>> "loss" in metrics
        True
    """
    return algorithm.improve(state, algorithm.collect(state, key), progress)
