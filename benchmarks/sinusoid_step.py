"""One MAML meta-step of the sinusoid experiment, beside the peers.

    python benchmarks/sinusoid_step.py [--rounds 20] [--json FILE]

Two hidden layers of 40, 25 tasks of 10 + 10 points, one inner step at 0.01; one meta-step per
call, as a user of the eager loop has it, and (`scanned`) a hundred per call, as `train` has it.
"""

import argparse
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import torch

import peers
import quickstudy as qs
from quickstudy.tasks.task import sample_batch
from side_by_side import finish, milliseconds, seconds

RATE, TASKS, SCANNED = 0.01, 25, 100


def scanned(learner: Any, tasks: Any) -> Any:
    """`SCANNED` meta-steps in one call; a step of plain descent keeps them from being one."""

    def step(learner: Any, _: None) -> tuple[Any, Any]:
        gradients, metrics = jax.vmap(learner.meta_gradient)(tasks)
        moved = jax.tree.map(lambda p, g: p - 1e-3 * jnp.mean(g, 0), learner, gradients)
        return moved, jnp.mean(metrics["loss"])

    run = jax.jit(lambda learner: jax.lax.scan(step, learner, length=SCANNED))
    compiled = run.lower(learner).compile()
    return lambda: jax.block_until_ready(compiled(learner))


def vmapped(learner: Any, tasks: Any) -> Any:
    """One meta-step on one device, the tasks side by side: this network is too small to spread."""

    def step(learner: Any, tasks: Any) -> tuple[Any, Any]:
        gradients, metrics = jax.vmap(learner.meta_gradient)(tasks)
        return jax.tree.map(lambda z: jnp.mean(z, 0), (metrics["loss"], gradients))

    compiled = jax.jit(step).lower(learner, tasks).compile()
    return lambda: jax.block_until_ready(compiled(learner, tasks))


def peers_of(learner: Any, tasks: Any) -> dict[str, Any]:
    model = peers.Perceptron()
    with torch.no_grad():
        for value, target in zip(in_torch_order(learner.model), model.parameters(), strict=True):
            target.copy_(torch.from_numpy(np.array(value)))
    arrays = (tasks.support.x, tasks.support.y, tasks.query.x, tasks.query.y)
    tensors = tuple(torch.from_numpy(np.array(a)) for a in arrays)
    loss = torch.nn.functional.mse_loss
    return peers.meta_steps(model, loss, tensors, peers.Inner(RATE, 1))


def in_torch_order(model: Any) -> list[np.ndarray]:
    return [np.asarray(a) for layer in model.layers for a in (layer.weight.T, layer.bias)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    model = qs.MLP(1, (40, 40, 1), key=jax.random.key(0))
    learner = qs.MAML(model, inner_lr=RATE, loss=qs.squared_error)
    tasks = eqx.filter_jit(sample_batch)(qs.Sinusoid(shots=10), jax.random.key(1), TASKS)
    ours = {"vmapped": vmapped(learner, tasks)}
    others = peers_of(learner, tasks)
    for name, step in {**ours, **others}.items():
        expected = in_torch_order(ours["vmapped"]()[1].model)
        loss, found = step()
        found = in_torch_order(found.model) if name in ours else [g.detach().numpy() for g in found]
        worst = max(float(np.abs(a - b).max()) for a, b in zip(expected, found, strict=True))
        print(f"{name}: loss {float(loss):.6f}, gradient differs by {worst:.1e}", flush=True)
        if worst > 1e-3:
            raise SystemExit(f"{name} computes something else")
    contestants = {**ours, "scanned": scanned(learner, tasks), **others}
    contestants |= {f"{n}, 1 thread": peers.on_one_thread(step) for n, step in others.items()}
    median = milliseconds(seconds(contestants, arguments.rounds))
    median["scanned"] /= SCANNED
    rows = [
        {
            "contestant": n,
            "ms": m,
            "× single step": m / median["vmapped"],
            "× scanned": m / median["scanned"],
        }
        for n, m in sorted(median.items(), key=lambda item: item[1])
    ]
    finish(rows, {"torch threads": torch.get_num_threads()}, arguments.json)


if __name__ == "__main__":
    main()
