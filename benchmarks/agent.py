"""How long an agent takes to choose one action, in a plain loop.

    python benchmarks/agent.py [--steps 2000]

A GRU of 64 units and 17 numbers observed, as in the half-cheetah, with 6 continuous actions; and
MAML's policy of two layers of 100 units. Written as milliseconds a step, the median and the 95th
percentile.
"""

import argparse
import time

import jax
import numpy as np

import quickstudy as qs

SEEN = np.linspace(-1, 1, 17, dtype=np.float32)


class Cheetah(qs.Environment):
    """What policies know of it; it is never stepped."""

    horizon: int = 1000
    actions = qs.Continuous(6)
    observation_shape = SEEN.shape

    def sample(self, key):
        """Nothing."""

    def reset(self, key, task):
        """Nothing."""

    def step(self, key, state, action, task):
        """Nothing."""


def times(agent: qs.Agent, steps: int) -> np.ndarray:
    """Milliseconds of each step."""
    found = []
    agent.reset(SEEN)
    for _ in range(steps + 20):
        began = time.perf_counter()
        agent.act(SEEN, 1.0, False, False)
        found.append(1e3 * (time.perf_counter() - began))
    return np.array(found[20:])


def main() -> None:
    """Print one line for each policy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    steps = parser.parse_args().steps
    key = jax.random.key(0)
    trial = qs.Trial(Cheetah(), 2)
    policies = {
        "GRU-64": qs.MetaPolicy.create(trial, qs.GRU.create(trial.inputs, 64, key=key)),
        "MLP-100-100": qs.Reactive.create(trial.environment, (100, 100), key=key),
    }
    for name, policy in policies.items():
        for greedy in (False, True):
            taken = times(policy.agent(greedy=greedy), steps)
            middle, late = np.percentile(taken, [50, 95])
            how = "greedy" if greedy else "drawn"
            print(f"{name:12} {how:7} {middle:.3f} ms a step, 95 % within {late:.3f} ms")


if __name__ == "__main__":
    main()
