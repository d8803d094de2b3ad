"""One training step of MAML with TRPO on 2-D navigation, beside eager PyTorch.

    python benchmarks/maml_rl.py [--rounds 5] [--json FILE] [--clock wall cpu]

20 tasks of 20 trajectories of 100 steps, before and after one update; two layers of 100 units,
second-order meta-gradient (LVC), ten conjugate gradients, line search; the Fisher matrix of all
trajectories, and of every n-th, on both sides. Before anything is timed, both take the step on the
same trajectories in float64, and the gradient and the divergence must agree.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import torch

import maml_rl_peer
import quickstudy as qs
from quickstudy.experiments.methods.maml_rl import MAMLPolicyConfig
from quickstudy.experiments.methods.policy_starts import HeConfig
from quickstudy.experiments.methods.policy_updates import AdaptsEverythingConfig, OuterTRPOConfig
from quickstudy.experiments.recipes import RECIPES
from quickstudy.mesh import map_over_tasks, replicate
from quickstudy.training.algorithm import update
from side_by_side import finish, milliseconds, seconds

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


SHARES = (1, 4, 10)  # the Fisher matrix is that of every n-th trajectory


def ours(setting: maml_rl_peer.Setting) -> tuple[Any, Callable[[], Any]]:
    """The algorithm, and a step of it that waits for the result."""
    recipe = RECIPES["maml-navigation"]
    method = MAMLPolicyConfig(
        trajectories=setting.trajectories,
        width=setting.width,
        weights=HeConfig(),
        adapts=AdaptsEverythingConfig(setting.inner_lr),
        discount=setting.discount,
        outer=OuterTRPOConfig(setting.radius, setting.curvature_every),
    )
    made = method.algorithm(recipe.problem, replace(recipe.budget, meta_batch=setting.tasks))
    run = eqx.filter_jit(lambda own, state, key: update(own, state, key, jnp.zeros(())))
    algorithm, state = replicate((made, made.init()))
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


def agreement(setting: maml_rl_peer.Setting) -> dict[str, list[float]]:
    """What both have of a step from the same weights on the same trajectories, in float64: ten
    conjugate gradients make percents of float32's rounding.

    Raises:
        SystemExit: they differ.
    """
    torch.set_default_dtype(torch.float64)
    with jax.enable_x64(True):
        (algorithm, policy), step = ours(setting)
        mine, given = step()[1], (theirs(policy), *trajectories(algorithm, policy))
    yours = maml_rl_peer.improve(*given, setting)[1]
    torch.set_default_dtype(torch.float32)
    found = {name: [float(each[name]) for each in (mine, yours)] for name in yours}
    for name, (a, b) in found.items():
        if abs(a / b - 1) > 1e-6:
            raise SystemExit(f"{name} is {a} here and {b} in PyTorch")
    return found


def contestants(setting: maml_rl_peer.Setting) -> dict[str, Callable[[], Any]]:
    """A step of each."""
    (_, policy), step = ours(setting)
    theta = theirs(policy)
    return {"ours": step, "PyTorch": lambda: maml_rl_peer.update(theta, setting)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", nargs="*", choices=list(CLOCKS), default=["wall", "cpu"])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    torch.manual_seed(0)
    rows, checked = [], {}
    for every in SHARES:
        setting = maml_rl_peer.Setting(curvature_every=every)
        checked[f"every {every}"] = agreement(setting)
        runs = contestants(setting)
        steps = 2 * setting.tasks * setting.trajectories * setting.horizon
        for name in arguments.clock:
            found = milliseconds(seconds(runs, arguments.rounds, CLOCKS[name]))
            row = {"F of every n-th": every, "clock": name}
            row |= {f"{who}, ms": found[who] for who in runs}
            ratio = found["PyTorch"] / found["ours"]
            rows.append({**row, "ratio": ratio, "steps/s, ours": steps / found["ours"] * 1e3})
    checked["torch threads"] = torch.get_num_threads()
    finish(rows, {"ours and PyTorch": checked}, arguments.json)


if __name__ == "__main__":
    main()
