"""Temporary memory of MAML's exact meta-gradient against first order, as compiled.

    python benchmarks/memory.py [--steps 1 5 10 20 50] [--json FILE]

84×84 colour images, 5-way 5-shot, 15 queries per class, Conv4 with 32 filters and batch
statistics. Nothing is run: XLA says what its program will allocate. `unchecked` is plain autodiff
through a scan without recomputation, as a reference.
"""

import argparse
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import quickstudy as qs
from quickstudy.learners.descent import support_gradient
from quickstudy.nets.network import Headed, Linear
from side_by_side import finish

WAYS, SHOTS, QUERIES, RATE = 5, 5, 15, 0.01


def learner_of(downsample: str) -> Any:
    body_key, head_key = jax.random.split(jax.random.key(0))
    body = qs.Conv4((84, 84, 3), filters=32, norm="batch", downsample=downsample, key=body_key)
    return qs.MAML(Headed(body, Linear.create(body.features, WAYS, key=head_key)), inner_lr=RATE)


def task() -> Any:
    support, query = WAYS * SHOTS, WAYS * QUERIES
    return qs.Task(
        qs.Examples(jnp.zeros((support, 84, 84, 3)), jnp.zeros(support, jnp.int32), WAYS),
        qs.Examples(jnp.zeros((query, 84, 84, 3)), jnp.zeros(query, jnp.int32), WAYS),
    )


def exact(learner: Any, task: Any) -> Any:
    return learner.meta_gradient(task)[0]


def first_order(learner: Any, task: Any) -> Any:
    """The query gradient at θ_k: the inner steps are constants."""
    adapted = learner.adapt(task.support)
    return jax.grad(lambda model: learner.loss(model(task.query.x), task.query.y))(adapted)


def unchecked(learner: Any, task: Any) -> Any:
    """The exact gradient by plain autodiff: every step's activations are kept."""

    def loss(model: Any) -> Any:
        def step(model: Any, _: None) -> tuple[Any, None]:
            gradient = support_gradient(model, task.support, learner.loss)
            return learner.inner_rule().move(model, gradient, None, 0)[0], None

        adapted = jax.lax.scan(step, model, length=learner.steps)[0]
        return learner.loss(adapted(task.query.x), task.query.y)

    return jax.grad(loss)(learner.model)


def mebibytes(gradient: Any, learner: Any) -> float:
    compiled = eqx.filter_jit(gradient).lower(learner, task()).compile().compiled
    return compiled.memory_analysis().temp_size_in_bytes / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", nargs="*", type=int, default=[1, 5, 10, 20, 50])
    parser.add_argument("--downsample", default="pool", choices=["pool", "stride"])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    rows = []
    for steps in arguments.steps:
        learner = learner_of(arguments.downsample)
        learner = qs.MAML(learner.model, inner_lr=RATE, steps=steps)
        size = {f.__name__: mebibytes(f, learner) for f in (exact, first_order, unchecked)}
        row = {"steps": steps, **{f"{name} MiB": value for name, value in size.items()}}
        rows.append({**row, "exact / first order": size["exact"] / size["first_order"]})
        print(rows[-1], flush=True)
    finish(rows, {"downsample": arguments.downsample}, arguments.json)


if __name__ == "__main__":
    main()
