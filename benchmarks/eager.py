"""Calls outside `jit` against the same calls inside it: time of later calls, and memory.

    python benchmarks/eager.py [--rounds 51] [--calls 1000] [--clock process] [--json FILE]

Every learner and every predictor, on 5-way 1-shot glyphs (a wave where it needs one), with small
networks, as it is there that the time goes into calling: `learner.adapt(support)(x)` as it stands
against one compiled function that does both. Then every task distribution, `tasks.sample(key)`
against the compiled one. All calls are later ones, of shapes that were seen before; `first s` is
the call before them. `MiB` is by how much the process has grown from one tenth of the calls to the
last of them. Nothing comes from a cache of compiled programs.
"""

import argparse
import functools
import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import quickstudy as qs
from quickstudy.nets.network import Headed, Linear
from side_by_side import finish, milliseconds, seconds

CLOCKS = {"wall": time.perf_counter, "process": time.process_time}
KEY = jax.random.key(0)
WAYS, CLASSES, FEATURES = 5, 64, 32


def body() -> Any:
    return qs.Conv4((28, 28, 1), filters=8, readout="mean", key=KEY)


def network() -> Any:
    return Headed(body(), Linear.create(body().features, WAYS, key=KEY))


def mlp(inputs: int, *sizes: int) -> Any:
    return qs.MLP(inputs, sizes, key=KEY)


def reader(memory: Any) -> Any:
    return qs.BlackBox.create(body(), body().features, outputs=WAYS, memory=memory, key=KEY)


def classifier() -> Any:
    return Linear.zeros(body().features, CLASSES)


def waves(make: Any, network: Any, **settings: Any) -> Any:
    return make(network, loss=qs.squared_error, **settings)


LEARNERS: dict[str, Callable[[], Any]] = {
    "MAML": lambda: qs.MAML(network(), steps=5),
    "MAML, waves": lambda: waves(qs.MAML, mlp(1, 40, 40, 1), inner_lr=0.01),
    "FirstOrderMAML": lambda: qs.FirstOrderMAML(network(), steps=5),
    "InnerLoop": lambda: qs.InnerLoop(network(), qs.Optimiser(optax.sgd(0.1)), steps=5),
    "MetaSGD": lambda: qs.MetaSGD.create(network()),
    "ANIL": lambda: qs.ANIL(network(), steps=5),
    "BOIL": lambda: qs.BOIL(network(), steps=5),
    "CAVIA, waves": lambda: waves(qs.CAVIA, qs.WithContext(mlp(5, 40, 40, 1), jnp.zeros(4))),
    "MAMLPlusPlus": lambda: qs.MAMLPlusPlus.create(network()),
    "ImplicitMAML": lambda: qs.ImplicitMAML(network()),
    "Reptile": lambda: qs.Reptile(network(), test_steps=10),
    "RidgeRegression": lambda: qs.RidgeRegression(body()),
    "JointFineTuning": lambda: qs.JointFineTuning(network(), steps=5),
    "FineTuneAll": lambda: qs.FineTuneAll(body(), classifier(), steps=10),
    "FineTuneHead": lambda: qs.FineTuneHead(body(), classifier()),
    "BaselinePlusPlus": lambda: qs.BaselinePlusPlus(body(), classifier()),
    "NearestCentroid": lambda: qs.NearestCentroid(body(), classifier()),
    "Prototypical": lambda: qs.Prototypical(body()),
    "Matching": lambda: qs.Matching(body()),
    "Matching, full context": lambda: qs.Matching(
        body(), context=qs.FullContext.create(body().features, key=KEY)
    ),
    "Relation": lambda: qs.Relation(body(), mlp(2 * body().features, 8, 1)),
    "BlackBox, LSTM": lambda: reader(qs.LSTM),
    "BlackBox, GRU": lambda: reader(qs.GRU),
    "BlackBox, SNAIL": lambda: reader(functools.partial(qs.SNAIL.create, past=WAYS)),
    "BlackBox, Transformer": lambda: reader(functools.partial(qs.Transformer.create, past=WAYS)),
    "BlackBox, MeanMemory": lambda: reader(qs.MeanMemory),
    "BlackBox, AttentiveMemory": lambda: reader(qs.AttentiveMemory),
}

GLYPHS = qs.glyphs("train", ways=WAYS)

TASKS: dict[str, Callable[[], Any]] = {
    "glyphs": lambda: GLYPHS,
    "Varying": lambda: qs.Varying(GLYPHS.with_shape(shots=3)),
    "AllClasses": lambda: qs.AllClasses(GLYPHS),
    "Sinusoid": lambda: qs.Sinusoid(),
}


@eqx.filter_jit
def both(learner: Any, support: Any, x: Any) -> Any:
    return learner.adapt(support)(x)


@eqx.filter_jit
def drawn(tasks: Any, key: Any) -> Any:
    return tasks.sample(key)


def of_learner(name: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Adapting and answering, as it stands and compiled by hand."""
    learner = LEARNERS[name]()
    task = drawn(qs.Sinusoid() if name.endswith("waves") else GLYPHS, KEY)
    return (
        lambda: jax.block_until_ready(learner.adapt(task.support)(task.query.x)),
        lambda: jax.block_until_ready(both(learner, task.support, task.query.x)),
    )


def of_tasks(name: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Drawing a task, as it stands and compiled by hand."""
    tasks = TASKS[name]()
    return (
        lambda: jax.block_until_ready(tasks.sample(KEY)),
        lambda: jax.block_until_ready(drawn(tasks, KEY)),
    )


def mebibytes() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def growth(run: Callable[[], Any], calls: int) -> float:
    """MiB that the last nine tenths of the calls have left behind."""
    for _ in range(calls // 10):
        run()
    before = mebibytes()
    for _ in range(calls - calls // 10):
        run()
    return mebibytes() - before


def measured(
    name: str, pair: tuple[Callable[[], Any], Callable[[], Any]], arguments: Any
) -> dict[str, Any]:
    eager, jitted = pair
    began = time.perf_counter()
    eager()
    first = time.perf_counter() - began
    contestants = {"eager": eager, "jitted": jitted}
    took = milliseconds(seconds(contestants, arguments.rounds, CLOCKS[arguments.clock]))
    return {
        "what": name,
        "first s": first,
        **{f"{contestant} ms": value for contestant, value in took.items()},
        "eager / jitted": took["eager"] / took["jitted"],
        "MiB": growth(eager, arguments.calls),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*LEARNERS, *TASKS]
    parser.add_argument("--rows", nargs="*", default=names, choices=names)
    parser.add_argument("--rounds", type=int, default=51)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.rows:
        pair = of_tasks(name) if name in TASKS else of_learner(name)
        rows.append(measured(name, pair, arguments))
        print(rows[-1], flush=True)
    finish(rows, {"clock": arguments.clock, "calls": arguments.calls}, arguments.json)


if __name__ == "__main__":
    main()
