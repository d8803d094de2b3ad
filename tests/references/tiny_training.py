"""A training of a moment, as a program that can be killed: `python tiny_training.py RUN`."""

import sys
import time
from pathlib import Path

import jax
import optax

import quickstudy as qs

RECIPE = {"recipe": "tiny"}
PLAN = qs.MetaPlan(
    steps=300,
    meta_batch=2,
    optimiser=optax.adam(optax.cosine_decay_schedule(1e-2, 300)),
    validate_every=4,
    validation_episodes=2,
)


class Heard:
    """Tells whoever listens which step is done, and leaves time to be killed."""

    def start(self, step, steps):
        print("start", step, flush=True)

    def update(self, step, metrics):
        print("step", step, flush=True)
        time.sleep(0.03)

    def close(self):
        pass


def main(run=None, report=None):
    tasks = qs.Sinusoid(shots=5, queries=5)
    learner = qs.MAML(
        qs.MLP(1, (8, 1), key=jax.random.key(0)), inner_lr=0.01, loss=qs.squared_error
    )
    key = jax.random.key(1)
    return qs.train(learner, tasks, validation=tasks, plan=PLAN, key=key, run=run, report=report)


if __name__ == "__main__":
    qs.set_up_devices(2)
    main(qs.Run.open(Path(sys.argv[1])), Heard())
