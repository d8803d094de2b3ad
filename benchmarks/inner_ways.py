"""The ways through k inner steps to the exact meta-gradient, side by side in one process.

    python benchmarks/inner_ways.py [--rounds 15] [--cases pool-5w1s-5steps ...] [--json FILE]

Each way makes the same meta-step of Conv4-64 (or a perceptron) on the same tasks; gradients are
compared before anything is timed. Columns give medians of all rounds, which alternate: wall time,
and the processor time of all threads, which others on the machine disturb less. `rule` is what
`quickstudy.learners.recomputing` chooses, from the operations of a step's products and the
bytes that they put out.
"""

import argparse
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from ours import meta_step
from quickstudy.learners import descent
from quickstudy.learners.losses import loss_on
from quickstudy.learners.recomputing import products, recomputed
from quickstudy.nets.network import Headed, Linear
from quickstudy.nets.trilinear import convolution_p
from side_by_side import finish, seconds

TOLERANCE = 1e-2  # rounding decides kinks, whose effect grows from step to step
RATE = 0.4


def conv(norm: str, downsample: Any, ways: int, shots: int, steps: int, tasks: int = 8) -> Any:
    """A learner and its tasks: images with a mark of their class, as many queries as classes."""
    keys = jax.random.split(jax.random.key(0), 4)
    readout = "mean" if downsample == "stride" else "flatten"
    body = qs.Conv4((28, 28, 1), norm=norm, downsample=downsample, readout=readout, key=keys[0])
    head = Linear.create(body.features, ways, key=keys[1])
    marks = jax.random.normal(keys[2], (tasks, ways, 28, 28, 1))

    def examples(each: int, key: Any) -> qs.Examples:
        y = jnp.tile(jnp.repeat(jnp.arange(ways), each), (tasks, 1))
        x = jnp.take_along_axis(marks, y[..., None, None, None], 1)
        return qs.Examples(x + 0.5 * jax.random.normal(key, x.shape), y, ways)

    learner = qs.MAML(Headed(body, head), inner_lr=RATE, steps=steps)
    return learner, qs.Task(examples(shots, keys[2]), examples(1, keys[3]))


def perceptron(hidden: int, batch: int, steps: int, tasks: int = 64) -> Any:
    """A learner and its tasks: a regression of one number on eight."""
    keys = jax.random.split(jax.random.key(0), 3)
    model = qs.MLP(8, (hidden, hidden, 1), key=keys[0])
    sets = [jax.random.normal(key, (tasks, batch, 8)) for key in keys[1:]]
    task = qs.Task(*(qs.Examples(x, jnp.sin(x[..., :1])) for x in sets))
    return qs.MAML(model, inner_lr=0.01, steps=steps, loss=qs.squared_error), task


CASES: dict[str, Callable[[], Any]] = {
    "stride-20w1s-5steps": lambda: conv("batch", "stride", 20, 1, 5),
    "stride-5w1s-5steps": lambda: conv("batch", "stride", 5, 1, 5),
    "pool-5w1s-5steps": lambda: conv("batch", "pool", 5, 1, 5),
    "layer-pool-5w1s-5steps": lambda: conv("layer", "pool", 5, 1, 5),
    "layer-stride-5w5s-5steps": lambda: conv("layer", "stride", 5, 5, 5),
    "pool-5w5s": lambda: conv("batch", "pool", 5, 5, 1),
    "mlp-64-512-5steps": lambda: perceptron(64, 512, 5),
    "mlp-40-10-5steps": lambda: perceptron(40, 10, 5),
}


def scanned(choose: Callable[..., Any]) -> dict[str, Any]:
    return {"recomputed": choose}


def keeping_products(step: Any, *_: Any) -> Any:
    """Keep the products, recompute what lies between them."""
    kinds = (convolution_p, jax.lax.dot_general_p)
    return jax.checkpoint(step, policy=lambda kind, *_, **__: kind in kinds)


def by_hand(hessian_product: Callable[..., Any]) -> dict[str, Any]:
    """∇L with a derivative of its own, from θ alone: nothing else is kept."""

    def support_gradient(model: Any, support: qs.Examples, loss: Any) -> Any:
        theta, rest = eqx.partition(model, eqx.is_inexact_array)
        others, fixed = eqx.partition((rest, support), eqx.is_array)

        def value(theta: Any, others: Any) -> Any:
            rest, support = eqx.combine(others, fixed)
            return loss_on(loss, eqx.combine(theta, rest)(support.x), support)

        gradient = jax.custom_vjp(jax.grad(value))

        def back(known: Any, v: Any) -> tuple[Any, None]:
            theta, others = known
            return hessian_product(lambda theta: value(theta, others), theta, v), None

        gradient.defvjp(lambda *both: (jax.grad(value)(*both), both), back)
        return gradient(theta, others)

    return {"support_gradient": support_gradient, "recomputed": lambda step, *_: step}


WAYS = {
    "recompute": scanned(lambda step, *_: jax.checkpoint(step)),
    "keep": scanned(lambda step, *_: step),
    "keep products": scanned(keeping_products),
    "custom vjp": by_hand(lambda f, at, v: jax.grad(lambda t: jax.jvp(f, (t,), (v,))[1])(at)),
    "forward over reverse": by_hand(lambda f, at, v: jax.jvp(jax.grad(f), (at,), (v,))[1]),
    "rule": {},
}


@contextlib.contextmanager
def taking(way: dict[str, Any]) -> Iterator[None]:
    """The library's inner loop, with these functions of it replaced."""
    before = {name: getattr(descent, name) for name in way}
    try:
        for name, own in way.items():
            setattr(descent, name, own)
        yield
    finally:
        for name, own in before.items():
            setattr(descent, name, own)


def arithmetic(learner: Any, tasks: Any) -> dict[str, Any]:
    """What the rule knows of one inner step."""
    found = {}

    def choose(step: Any, *example: Any) -> Any:
        found["operations"], found["bytes"] = products(step, *example[:2])
        way = recomputed(step, *example)
        found["rule"] = "keep" if way is step else "recompute"
        return way

    with taking(scanned(choose)):
        first = jax.tree.map(lambda x: x[0], tasks)
        jax.eval_shape(lambda task: learner.adapt(task.support), first)
    return found


def _both_clocks() -> Any:
    return np.array([time.perf_counter(), time.process_time()])


def measure(name: str, rounds: int, ways: list[str]) -> list[dict[str, Any]]:
    learner, tasks = CASES[name]()
    known = arithmetic(learner, tasks)
    steps, found, memory = {}, {}, {}
    for way in ways:
        with taking(WAYS[way]):
            steps[way] = meta_step(learner, tasks)
        memory[way] = steps[way].args[0].compiled.memory_analysis().temp_size_in_bytes / 2**20
        leaves = jax.tree.leaves(eqx.filter(steps[way](), eqx.is_array))
        found[way] = np.concatenate([np.ravel(leaf) for leaf in leaves])
    first = found[ways[0]]
    error = {w: float(np.linalg.norm(g - first) / np.linalg.norm(first)) for w, g in found.items()}
    if max(error.values()) > TOLERANCE:
        raise SystemExit(f"{name}: the ways compute different things: {error}")
    clocks: Any = seconds(steps, rounds, _both_clocks)
    median = {way: 1e3 * np.median(times, axis=0) for way, times in clocks.items()}
    return [
        {
            "case": name,
            "way": f"{way}: {known['rule']}" if way == "rule" else way,
            "wall ms": float(median[way][0]),
            "cpu ms": float(median[way][1]),
            "cpu / first": float(median[way][1] / median[ways[0]][1]),
            "MiB": memory[way],
            "differs by": error[way],
            "products' MiB, all steps": learner.steps * known["bytes"] / 2**20,
            "operations a byte": known["operations"] / known["bytes"],
        }
        for way in ways
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    rows = []
    for name in arguments.cases:
        rows += measure(name, arguments.rounds, arguments.ways)
        print(*rows[-len(arguments.ways) :], sep="\n", flush=True)
    finish(rows, {"devices": jax.device_count()}, arguments.json)


if __name__ == "__main__":
    main()
