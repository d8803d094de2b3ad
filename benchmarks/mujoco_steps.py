"""Environment steps per second while a policy acts, beside a bare Gymnasium loop.

    python benchmarks/mujoco_steps.py [--rounds 5] [--copies 40] [--processes 2] [--json FILE]

Half-cheetahs with 5 engine steps per action (ProMP's) and with 1 (MAML's), an episode of 200 steps
in every copy. Bare is `gymnasium.vector` with random actions drawn beforehand, nothing looked at or
stored: `SyncVectorEnv` in this process, `AsyncVectorEnv` in others. Gymnasium starts a process for
every copy there; ours share the copies among as many processes as are asked for, so that each of
ours in processes stands beside both. Beside them act RL²'s policy (GRU 128, `host_rollouts`) and
MAML's (two layers of 100, `host_adaptations` without an update), whose steps are all stored.
The share that a policy's rows have of the bare loop is to be 0.7 or more.
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium
import jax
import numpy as np

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.envs.mujoco.cheetah import cheetah
from quickstudy.envs.workers import HostWorkers
from quickstudy.experiments.recipes import RECIPES
from quickstudy.rl.adaptation import Adaptation
from quickstudy.rl.estimators import LVC
from quickstudy.rl.host_adaptation import host_adaptations
from quickstudy.rl.host_rollout import host_rollouts
from quickstudy.rl.trial import Trial
from side_by_side import finish, milliseconds, seconds

VERSIONS = {5: "promp", 1: "maml"}  # engine steps per action: whose definition
TARGET = 0.7


def bare(vector: Any, version: str, copies: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """An episode with random actions in Gymnasium's loop, and what ends the loop."""
    family = cheetah("velocity", version)
    environments = vector([family.make] * copies)
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (family.horizon, *environments.action_space.shape))
    actions = actions.astype(np.float32)

    def run() -> None:
        environments.reset(seed=0)
        for action in actions:
            environments.step(action)

    return run, environments.close


def hosted(version: str, copies: int, processes: int) -> HostFamily:
    """Copies in this process for 0 processes, else in so many others."""
    family = cheetah("velocity", version)
    made = (family.make, family.sample_task, family.set_task, copies, family.horizon)
    if processes == 0:
        return HostFamily(HostEnvironment(*made))
    return HostFamily(HostWorkers(*made, processes=processes))


def recipe_of(name: str, version: str) -> Any:
    """A recipe with that version of the half-cheetah."""
    recipe = RECIPES[name]
    return replace(recipe, problem=replace(recipe.problem, version=version))


def memory(family: HostFamily, version: str) -> Callable[[], Any]:
    """RL²'s policy through an episode in every copy."""
    policy = recipe_of("rl2-cheetah", version).learner()
    trial, copies = Trial(family, 1), family.host.copies
    return lambda: host_rollouts(policy, trial, jax.random.key(0), copies)


def gradient(family: HostFamily, version: str) -> Callable[[], Any]:
    """MAML's policy through an episode in every copy: what it does before its first update.

    The update itself takes no environment step; its time is the method's.
    """
    recipe = recipe_of("maml-cheetah", version)
    policy, rule = recipe.learner()
    k = recipe.method.trajectories
    tasks = family.host.copies // k
    adaptation = Adaptation(family, rule, LVC(), trajectories=k)
    return lambda: host_adaptations(policy, adaptation, 0, jax.random.key(0), tasks)


def rows(frame_skip: int, copies: int, processes: int, rounds: int) -> list[dict[str, Any]]:
    """Everything that steps those half-cheetahs, in turns."""
    version, vector = VERSIONS[frame_skip], gymnasium.vector
    peers = {
        "SyncVectorEnv": bare(vector.SyncVectorEnv, version, copies),
        # Not by forking, which copies JAX's threads' locks in whatever state they are.
        "AsyncVectorEnv": bare(partial(vector.AsyncVectorEnv, context="spawn"), version, copies),
    }
    hosts = {n: hosted(version, copies, n) for n in (0, processes)}
    runs = {name: run for name, (run, _) in peers.items()}
    for n, family in hosts.items():
        where = f"{n} processes" if n else "this process"
        runs[f"RL², {where}"] = memory(family, version)
        runs[f"MAML, {where}"] = gradient(family, version)
    try:
        times = seconds(runs, rounds)
    finally:
        for close in (*(c for _, c in peers.values()), *(f.host.close for f in hosts.values())):
            close()
    steps = cheetah("velocity", version).horizon * copies
    return [
        {
            "engine steps": frame_skip,
            "what": name,
            "steps/s": steps / milliseconds(times)[name] * 1e3,
            **{f"of {peer}": share(times[peer], times[name]) for peer in peers},
        }
        for name in runs
    ]


def share(peer: list[float], mine: list[float]) -> float:
    """The median over rounds of one's speed by the other's, for the machine's load changes."""
    return statistics.median(p / m for p, m in zip(peer, mine, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--engine-steps", type=int, nargs="*", choices=list(VERSIONS), default=[5, 1]
    )
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    found = [
        row
        for frame_skip in arguments.engine_steps
        for row in rows(frame_skip, arguments.copies, arguments.processes, arguments.rounds)
    ]
    setting = {"copies": arguments.copies, "processes": arguments.processes, "target": TARGET}
    finish(found, setting, arguments.json)


if __name__ == "__main__":
    main()
