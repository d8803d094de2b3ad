"""A training whose every number is known, what listens to it, and how it is stopped."""

import signal
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np


class Walk(eqx.Module):
    """x goes up by one in each step, `noise` collects the keys; the score is best at x = `best_at`.

    From step `bad_from` on the loss is not a number; validation is bad where x is `bad_at`.
    """

    best_at: float = 20.0
    bad_from: float = 1e9
    bad_at: float = -1.0

    def init(self):
        return {"x": jnp.float32(0), "noise": jnp.float32(0)}

    @property
    def host(self):
        return None

    def collect(self, state, key):
        return jax.random.normal(key)

    def improve(self, state, batch, progress):
        x = state["x"] + 1
        noise = 0.9 * state["noise"] + batch * (1 - progress)
        loss = jnp.where(x >= self.bad_from, jnp.nan, x)
        return {"x": x, "noise": noise}, {"loss": loss, "progress": progress}

    def validate(self, state, key):
        score = -jnp.square(state["x"] - self.best_at)
        return {"score": jnp.where(state["x"] == self.bad_at, jnp.nan, score)}

    def learned(self, state):
        return state


class Stroll(Walk):
    """The same on the host, where what is collected is no tracer."""

    @property
    def host(self):
        return "here"

    def collect(self, state, key):
        return np.asarray(super().collect(state, key))


class Recorder:
    """Remembers what training tells, and does something at a given step."""

    def __init__(self, at: int | None = None, action: Any = None):
        self.at, self.action = at, action
        self.told: dict[int, dict[str, float]] = {}
        self.started = self.closed = None

    def start(self, step, steps):
        self.started = (step, steps)

    def update(self, step, metrics):
        self.told[step] = metrics
        if self.at is not None and step >= self.at and self.action:
            action, self.action = self.action, None
            action()

    def close(self):
        self.closed = True


class Crash(Exception):
    pass


def crash():
    raise Crash


def interrupt():
    signal.raise_signal(signal.SIGINT)
