"""What a compiled environment returns, checked where it comes in: while a program is traced, so
that it costs nothing where it runs."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from quickstudy.envs.environment import (
    MDP,
    Action,
    Actions,
    Environment,
    Observation,
    Picture,
    State,
    Step,
    demand_drawable,
)
from quickstudy.errors import BadInput, is_whole


def demand_declared(environment: Environment) -> Environment:
    """The same family, whose horizon, actions and shape are of the right kind.

    Args:
        environment: a family that is compiled.

    Raises:
        BadInput: one is not, as where `actions` is a space of Gymnasium's.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> demand_declared(Bandit(arms=3)).horizon
        1
    """
    name = type(environment).__name__
    horizon, actions = environment.horizon, environment.actions
    shape = environment.observation_shape
    if not is_whole(horizon):
        raise BadInput(f"{name}.horizon is {horizon!r}; give a whole number of 1 or more")
    if not isinstance(actions, Actions):
        raise BadInput(
            f"{name}.actions is {actions!r}, a {type(actions).__module__}."
            f"{type(actions).__name__}; give quickstudy.Discrete(n), "
            "quickstudy.MultiDiscrete((n, m)) or quickstudy.Continuous(size, limit)"
        )
    demand_drawable(actions, f"{name}.actions is {actions!r}")
    if not isinstance(shape, tuple) or not all(is_whole(size, 0) for size in shape):
        raise BadInput(
            f"{name}.observation_shape is {shape!r}; give a tuple of whole numbers, (0,) where "
            "there is nothing to see"
        )
    for one in environment.pictures:
        if not isinstance(one, Picture) or not _within(one, math.prod(shape)):
            raise BadInput(
                f"{name}.pictures has {one!r}, and observations are {shape}; give quickstudy."
                "Picture(start, (height, width, channels)) of numbers within an observation"
            )
    return environment


def _within(picture: Picture, size: int) -> bool:
    start, shape = picture
    numbers = (start, *shape) if isinstance(shape, tuple) and len(shape) == 3 else ()
    if not numbers or not is_whole(start, 0) or not all(map(is_whole, shape)):
        return False
    return start + math.prod(shape) <= size


def begun(environment: Environment, key: PRNGKeyArray, task: MDP) -> tuple[State, Observation]:
    """`reset`, with arrays in place of Python's numbers.

    Args:
        environment: a family that is compiled.
        key: consumed.
        task: M_i.

    Raises:
        BadInput: it returns no pair, or an observation that is not of the family's shape.

    Example:
        >>> from quickstudy.envs.bandit import Bandit
        >>> bandit, key = Bandit(arms=3), jax.random.key(0)
        >>> begun(bandit, key, bandit.sample(key))[1].shape
        (0,)
    """
    found = demand_declared(environment).reset(key, task)
    if not isinstance(found, tuple) or len(found) != 2:
        raise _returned(environment, "reset", found, "(state, observation)")
    state, seen = found
    return jax.tree.map(jnp.asarray, state), _observation(environment, "reset", seen)


def stepped(
    environment: Environment, key: PRNGKeyArray, state: State, action: Action, task: MDP
) -> Step:
    """`step`, with arrays in place of Python's numbers: a reward is a float and done a bool.

    Args:
        environment: a family that is compiled.
        key: consumed.
        state: as `begun` returned it, or `stepped`.
        action: a_t.
        task: M_i.

    Raises:
        BadInput: it returns no `Step`; an observation that is not of the family's shape; more
            rewards than one; or a state of another structure, shape or type than `state`.
    """
    found = environment.step(key, state, action, task)
    if not isinstance(found, tuple) or len(found) != 4:
        raise _returned(environment, "step", found, "quickstudy.Step")
    after, seen, reward, done = found
    return Step(
        _state(environment, after, state),
        _observation(environment, "step", seen),
        _one(environment, "reward", reward).astype(float),
        _one(environment, "done", done).astype(bool),
    )


def _returned(environment: Environment, what: str, found: Any, wanted: str) -> BadInput:
    return BadInput(f"{type(environment).__name__}.{what} returned {found!r}; return {wanted}")


def _observation(environment: Environment, what: str, seen: Any) -> Observation:
    shape = environment.observation_shape
    array = _array(environment, f"the observation of {what}", seen)
    if array.shape != shape:
        raise BadInput(
            f"{type(environment).__name__}: the observation of {what} has the shape {array.shape}, "
            f"and observation_shape is {shape}; let them be the same"
        )
    return array if jnp.issubdtype(array.dtype, jnp.inexact) else array.astype(float)


def _one(environment: Environment, name: str, value: Any) -> jax.Array:
    array = _array(environment, name, value)
    if array.size != 1:
        raise BadInput(
            f"{type(environment).__name__}: {name} has the shape {array.shape}; return one number"
        )
    return array.reshape(())


def _array(environment: Environment, name: str, value: Any) -> jax.Array:
    try:
        array = jnp.asarray(value)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"{type(environment).__name__}: {name} is {value!r}; return an array of numbers"
        ) from error
    if jnp.iscomplexobj(array):
        raise BadInput(f"{type(environment).__name__}: {name} is complex; return real numbers")
    return array


def _state(environment: Environment, after: State, before: State) -> State:
    """What a step leaves, of the types that a state begins with."""
    forms = [jax.tree.structure(state) for state in (before, after)]
    if forms[0] != forms[1]:
        raise BadInput(
            f"{type(environment).__name__}.step returned the state {forms[1]}, where it was "
            f"{forms[0]}; return the same structure"
        )

    def same(old: Any, new: Any) -> jax.Array:
        new = jnp.asarray(new)
        if (new.shape, new.dtype) == (old.shape, old.dtype):
            return new
        # Only what keeps its value: a half would become 0 in a state that began as a whole number.
        if new.shape != old.shape or not jnp.can_cast(new.dtype, old.dtype, "same_kind"):
            now, then = (f"{x.dtype}{list(x.shape)}" for x in (new, old))
            raise BadInput(
                f"{type(environment).__name__}: a part of the state is {now} after step, where it "
                f"was {then}; let reset begin with that shape and type, as jnp.zeros((), int) or "
                "jnp.zeros(()), and step keep it"
            )
        return new.astype(old.dtype)

    return jax.tree.map(same, before, after)
