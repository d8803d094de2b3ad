"""One MAML meta-step with Conv4-64 on 28×28 images, beside the peers, in one process.

    python benchmarks/meta_step.py [--rounds 7] [--rows pool-5w1s ...] [--clock wall] [--json FILE]

Same tasks, same initial weights, float32, batch statistics; losses and meta-gradients are compared
before anything is timed. Give it an idle machine; on one that others use, `--clock cpu` counts
the processor time of all threads instead. GFLOP/s counts the multiplications and additions
that the plain algorithm needs (no recomputation), as a share of the matrix product's peak; an
algorithm that needs fewer may exceed it.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import peers
import quickstudy as qs
from ours import meta_step
from quickstudy.nets.network import Headed, Linear
from side_by_side import finish, milliseconds, seconds

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
RATE = 0.4
# Rounding decides which side of a kink (ReLU, maximum) a few activations fall on. `torch.func` gets
# more room: through `batch_norm` its second derivative is off by 0.2 to 3 percent, in float64 too,
# where the eager loop and we agree; first order, and the losses, are exact.
TOLERANCE = 1e-2
TOLERANCE_TORCH_FUNC = 5e-2


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    downsample: str
    ways: int
    shots: int
    queries: int
    tasks: int
    steps: int


ROWS = {
    "stride-5w1s": Row("stride", 5, 1, 1, 32, 1),
    "pool-5w1s": Row("pool", 5, 1, 1, 32, 1),
    "pool-5w1s-5steps": Row("pool", 5, 1, 1, 32, 5),
    "pool-5w5s-15queries": Row("pool", 5, 5, 15, 4, 1),
    "stride-20w1s-5steps": Row("stride", 20, 1, 1, 8, 5),
}


def flops(row: Row, filters: int = 64) -> float:
    """Multiplications and additions of the convolutions, without any recomputation.

    A gradient takes three products per layer: the output, the kernel's and the image's gradient
    (not the first layer's). Each is bilinear, so differentiating it takes two products more.
    """
    first = after = 0.0
    side = 28
    for layer in range(4):
        out = side if row.downsample == "pool" else -(-side // 2)
        product = 2.0 * out * out * 9 * (1 if layer == 0 else filters) * filters
        first, after = (product, after) if layer == 0 else (first, after + product)
        side = out // 2 if row.downsample == "pool" else out
    support, query = row.ways * row.shots, row.ways * row.queries
    inner = row.steps * support * (4 * first + 9 * after)
    return row.tasks * (inner + query * (2 * first + 3 * after))


def arrays(row: Row, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Random images with a mark of their class, `[tasks, n, 28, 28]`, and labels `[tasks, n]`."""
    rng = np.random.default_rng(seed)
    prototypes = rng.normal(size=(row.tasks, row.ways, 28, 28))

    def examples(each: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.tile(np.repeat(np.arange(row.ways), each), (row.tasks, 1))
        x = np.take_along_axis(prototypes, y[..., None, None], 1)
        return (x + 0.5 * rng.normal(size=x.shape)).astype(np.float32), y

    return *examples(row.shots), *examples(row.queries)


def learner_of(row: Row) -> Any:
    body_key, head_key = jax.random.split(jax.random.key(0))
    readout = "mean" if row.downsample == "stride" else "flatten"
    body = qs.Conv4(
        (28, 28, 1), norm="batch", downsample=row.downsample, readout=readout, key=body_key
    )
    head = Linear.create(body.features, row.ways, key=head_key)
    return qs.MAML(Headed(body, head), inner_lr=RATE, steps=row.steps)


def tasks_of(row: Row) -> Any:
    xs, ys, xq, yq = arrays(row)
    sets = [
        qs.Examples(jnp.asarray(x[..., None]), jnp.asarray(y, jnp.int32), row.ways)
        for x, y in ((xs, ys), (xq, yq))
    ]
    return qs.Task(*sets)


def turned(row: Row, x: np.ndarray) -> np.ndarray:
    """Images and kernels for PyTorch, whose strided convolution pads both sides by one.

    On an even side, SAME padding of stride 2 pads the far side only: the same thing for images
    and kernels that are turned by 180°, which spares PyTorch a separate padding.
    """
    return x[..., ::-1, ::-1].copy() if row.downsample == "stride" else x


def peers_of(row: Row, learner: Any) -> dict[str, Any]:
    model = peers.ConvNet(row.ways, row.downsample)
    state = dict(model.named_parameters())
    with torch.no_grad():
        for value, target in zip(in_torch_order(row, learner.model), state.values(), strict=True):
            target.copy_(torch.from_numpy(np.array(value)))
    xs, ys, xq, yq = arrays(row)
    images = (torch.from_numpy(turned(row, x)[:, :, None]) for x in (xs, xq))
    labels = (torch.from_numpy(y) for y in (ys, yq))
    (xs, xq), (ys, yq) = images, labels
    loss = torch.nn.functional.cross_entropy
    return peers.meta_steps(model, loss, (xs, ys, xq, yq), peers.Inner(RATE, row.steps))


def in_torch_order(row: Row, model: Any) -> list[np.ndarray]:
    """A `Headed(Conv4, Linear)`, or its gradient, in the order of `peers.ConvNet.parameters()`."""
    blocks = model.body.blocks
    kernels = [turned(row, np.asarray(b.kernel).transpose(3, 2, 0, 1)) for b in blocks]
    norms = [np.asarray(a) for b in blocks for a in (b.norm.scale, b.norm.shift)]
    return [*kernels, *norms, np.asarray(model.head.weight).T, np.asarray(model.head.bias)]


def distance(row: Row, ours: Any, theirs: Any) -> float:
    """Relative difference of the losses, or of the gradients by their norm, the larger."""
    mine = [np.asarray(ours[0]), *in_torch_order(row, ours[1].model)]
    other = [theirs[0].detach().numpy(), *(g.detach().numpy() for g in theirs[1])]
    scale = np.sqrt(sum(np.sum(np.square(g)) for g in mine[1:]))
    gradient = np.sqrt(
        sum(np.sum(np.square(a - b)) for a, b in zip(mine[1:], other[1:], strict=True))
    )
    return max(float(abs(mine[0] - other[0]) / abs(mine[0])), float(gradient / scale))


def peak() -> float:
    """GFLOP/s of a 2048² float32 product: the better of JAX (one per device) and PyTorch."""
    n, count = 2048, jax.device_count()
    a = np.random.default_rng(0).normal(size=(count, n, n)).astype(np.float32)
    mesh = jax.make_mesh((count,), ("tasks",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.sharding.PartitionSpec("tasks")
    product = jax.jit(
        jax.shard_map(lambda x: x[0][None] @ x, mesh=mesh, in_specs=spec, out_specs=spec)
    )
    here, b = jax.device_put(a, jax.NamedSharding(mesh, spec)), torch.from_numpy(a[0])
    times = seconds(
        {"jax": lambda: jax.block_until_ready(product(here)), "torch": lambda: b @ b}, 7
    )
    work = 2e-9 * n**3
    return max(count * work / min(times["jax"]), work / min(times["torch"]))


def measure(name: str, row: Row, rounds: int, clock: Any) -> dict[str, Any]:
    learner = learner_of(row)
    ours = meta_step(learner, tasks_of(row))
    others = peers_of(row, learner)
    result = ours()
    for peer, step in others.items():
        error = distance(row, result, step())
        print(f"{name}: {peer} differs by {error:.1e}", flush=True)
        if error > (TOLERANCE_TORCH_FUNC if peer == "torch.func" else TOLERANCE):
            raise SystemExit(f"{name}: {peer} computes something else")
    if torch.get_num_threads() > 1:
        others |= {f"{peer}, 1 thread": peers.on_one_thread(step) for peer, step in others.items()}
    median = milliseconds(seconds({"quickstudy": ours, **others}, rounds, clock))
    mine = median.pop("quickstudy")
    fastest = min(median, key=lambda peer: median[peer])
    best = {
        peer: min(t for n, t in median.items() if n.split(",")[0] == peer)
        for peer in ("eager loop", "torch.func", "higher", "torchopt", "learn2learn")
        if peer in median
    }
    return {
        "row": name,
        "quickstudy ms": mine,
        **{f"{peer} ms": value for peer, value in best.items()},
        "fastest peer": fastest,
        "ratio": median[fastest] / mine,
        "GFLOP/s": flops(row) / mine / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    highest = peak()
    rows = []
    for name in arguments.rows:
        found = measure(name, ROWS[name], arguments.rounds, CLOCKS[arguments.clock])
        rows.append({**found, "share of peak": found["GFLOP/s"] / highest})
        print(rows[-1], flush=True)
    finish(
        rows,
        {
            "clock": arguments.clock,
            "peak GFLOP/s": highest,
            "torch threads": torch.get_num_threads(),
        },
        arguments.json,
    )


if __name__ == "__main__":
    main()
