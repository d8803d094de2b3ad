"""One training step of MAML with TRPO on 2-D navigation, beside eager PyTorch.

    python benchmarks/maml_rl.py [--rounds 5] [--json FILE] [--clock wall cpu]

20 tasks of 20 trajectories of 100 steps, before and after one update; two layers of 100 units,
second-order meta-gradient (LVC), ten conjugate gradients, line search. Before anything is timed,
both take the step on the same trajectories, and the gradient and the divergence must agree. Ours
is also timed with the Fisher matrix of some of the trajectories only, which PyTorch's does not
offer.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import torch

import maml_rl_peer
import quickstudy as qs
from quickstudy.mesh import map_over_tasks, replicate
from quickstudy.recipes import RECIPES
from side_by_side import finish, milliseconds, seconds

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


SHARES = (2, 4, 5)  # every n-th trajectory


def ours(setting: maml_rl_peer.Setting, every: int = 1) -> tuple[Any, Callable[[], Any]]:
    """The algorithm, and a step of it that waits for the result; the Fisher matrix is that of every
    so many trajectories."""
    recipe = RECIPES["maml-navigation"](
        meta_batch=setting.tasks,
        trajectories=setting.trajectories,
        width=setting.width,
        inner_lr=setting.inner_lr,
        discount=setting.discount,
        radius=setting.radius,
        inner_steps=1,
        curvature_every=every,
    )
    run = eqx.filter_jit(lambda own, state, key: own.update(state, key, jnp.zeros(())))
    algorithm, state = replicate((recipe.algorithm(), recipe.algorithm().init()))
    # The head begins at zero, where the Hessian is not that of any later step.
    state = run(algorithm, state, jax.random.key(0))[0]
    step = lambda: jax.block_until_ready(run(algorithm, state, jax.random.key(1)))  # noqa: E731
    return (algorithm, algorithm.learned(state)[0]), step


def theirs(policy: Any) -> maml_rl_peer.Theta:
    """The same weights in PyTorch."""
    layers = [*policy.body.layers, policy.head]
    arrays = [array for layer in layers for array in (layer.weight, layer.bias)]
    return [torch.tensor(np.asarray(array)) for array in (*arrays, policy.log_std)]


def trajectories(algorithm: Any, policy: Any) -> tuple[maml_rl_peer.Paths, maml_rl_peer.Paths]:
    """What the step that is timed acts on."""

    def one(policy: Any, key: Any) -> Any:
        task_key, act_key = jax.random.split(key)
        task = algorithm.adaptation.environment.sample(task_key)
        return algorithm.adaptation.run(policy, task, 1, act_key)

    run = eqx.filter_jit(lambda p: map_over_tasks(one, p, jax.random.key(1), algorithm.tasks))
    sets, after = run(policy)
    before = jax.tree.map(lambda x: x[:, 0], sets)
    names = maml_rl_peer.Paths._fields
    found = [{n: torch.tensor(np.asarray(getattr(p, n))) for n in names} for p in (before, after)]
    return maml_rl_peer.Paths(**found[0]), maml_rl_peer.Paths(**found[1])


def demand_agreement(mine: dict[str, Any], yours: dict[str, float]) -> None:
    """Stop unless both took the same step."""
    for name, most in (("gradient_norm", 1e-3), ("kl", 2e-2)):
        if abs(float(mine[name]) / yours[name] - 1) > most:
            raise SystemExit(f"{name} is {mine[name]} here and {yours[name]} in PyTorch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", nargs="*", choices=list(CLOCKS), default=["wall", "cpu"])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    torch.manual_seed(0)
    setting = maml_rl_peer.Setting()
    (algorithm, policy), step = ours(setting)
    theta = theirs(policy)
    agreed = step()[1], maml_rl_peer.improve(theta, *trajectories(algorithm, policy), setting)[1]
    demand_agreement(*agreed)
    contestants = {"ours": step, "PyTorch": lambda: maml_rl_peer.update(theta, setting)}
    names = {f"ours, 1/{every} of F, ms": every for every in SHARES}
    contestants |= {name: ours(setting, every)[1] for name, every in names.items()}
    steps = 2 * setting.tasks * setting.trajectories * setting.horizon
    rows = []
    for name in arguments.clock:
        found = milliseconds(seconds(contestants, arguments.rounds, CLOCKS[name]))
        row = {"clock": name, "ours, ms": found["ours"], "PyTorch, ms": found["PyTorch"]}
        ratio = found["PyTorch"] / found["ours"]
        shares = {name: found[name] for name in names}
        rows.append({**row, "ratio": ratio, "steps/s, ours": steps / found["ours"] * 1e3, **shares})
    checked = {name: [float(each[name]) for each in agreed] for name in ("gradient_norm", "kl")}
    finish(
        rows,
        {"ours and PyTorch": checked, "torch threads": torch.get_num_threads()},
        arguments.json,
    )


if __name__ == "__main__":
    main()
