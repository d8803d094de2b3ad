"""Steps per second of environments, of RL²'s training, and of the same training in PyTorch.

    python benchmarks/rl.py [--rounds 5] [--json FILE] [--only random training peer]
                            [--families bandit tabular gridnavi maze games half-circle]

Three tables: random trials of every family; one training step of a recipe with each history
encoder, collecting and improving, counted in environment steps; and RL² on bandits (5 arms, 100
pulls, 256 trials, PPO with 4 epochs of 4 minibatches) beside eager PyTorch with the same GRU.
gymnax and xland-minigrid ask for versions of JAX or NumPy that do not go with this one, and are
not compared.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import quickstudy as qs
from quickstudy.experiments.methods.histories import HistoryConfig
from quickstudy.experiments.recipes import RECIPES
from quickstudy.mesh import replicate
from quickstudy.rl.rl2 import trial_episodes
from quickstudy.training.algorithm import update
from side_by_side import finish, milliseconds, seconds

FAMILIES = ("bandit", "tabular", "gridnavi", "maze", "games", "half-circle")
ENCODERS = ("gru", "lstm", "snail", "transformer", "context")
TRIALS = {"bandit": 4096, "tabular": 1024, "gridnavi": 1024, "maze": 256, "games": 256}


def random_trials(family: str) -> tuple[Callable[[], Any], int]:
    """Trials with random actions, and how many steps they are."""
    trial = RECIPES[f"rl2-{family}"].problem.trial("train", episodes=4)
    if family == "bandit":
        trial = qs.Trial(trial.environment, 100)
    trials = TRIALS.get(family, 1024)
    run = eqx.filter_jit(
        lambda key: trial_episodes(qs.Random(trial.environment), trial, key, trials)
    )
    return lambda: jax.block_until_ready(run(jax.random.key(0))), trials * trial.steps


def training_step(recipe: Any) -> tuple[Callable[[], Any], int]:
    """A training step of a recipe, and how many environment steps it takes."""
    algorithm = recipe.method.algorithm(recipe.problem, recipe.budget)
    run = eqx.filter_jit(lambda own, state, key: update(own, state, key, jnp.zeros(())))
    algorithm, state = replicate((algorithm, algorithm.init()))
    state = run(algorithm, state, jax.random.key(0))[0]
    steps = algorithm.trials * algorithm.trial.steps
    return lambda: jax.block_until_ready(run(algorithm, state, jax.random.key(1))), steps


def peers(width: int) -> dict[str, Callable[[], Any]]:
    """Ours and PyTorch's training step on the same bandits; returns of first steps compared."""
    import torch

    import rl_peer

    setting = rl_peer.Setting(width=width)
    found = RECIPES["rl2-bandit"]
    passes = {"epochs": setting.epochs, "minibatches": setting.minibatches}
    method = replace(
        found.method,
        memory=replace(found.method.memory, width=width),
        improvement=replace(found.method.improvement, **passes),
    )
    recipe = replace(
        found,
        problem=replace(found.problem, arms=setting.arms, trial_episodes=setting.pulls),
        method=method,
        budget=replace(found.budget, meta_batch=setting.trials),
    )
    ours, _ = training_step(recipe)
    torch.manual_seed(0)
    policy, rng = rl_peer.Policy(setting), np.random.default_rng(0)
    adam = torch.optim.Adam(policy.parameters(), lr=recipe.budget.learning_rate)
    theirs = lambda: rl_peer.update(policy, adam, setting, rng)  # noqa: E731
    random = theirs()
    if abs(random - setting.pulls / 2) > 3:
        raise SystemExit(f"an untrained policy earned {random} of {setting.pulls}")
    earned = ours()[1]["return"]
    if abs(float(earned) - setting.pulls / 2) > 8:
        raise SystemExit(f"a policy of one step earned {earned} of {setting.pulls}")
    return {"ours": ours, "PyTorch": theirs}


def rate(run: Callable[[], Any], steps: int, rounds: int) -> float:
    """Environment steps per second, of the median round."""
    return steps / milliseconds(seconds({"it": run}, rounds))["it"] * 1e3


def trainings(family: str) -> dict[str, Any]:
    """A recipe for each history encoder that the family can have, of 256 trials a step."""
    recipe = RECIPES[f"rl2-{family}"]
    recipe = replace(recipe, budget=replace(recipe.budget, meta_batch=256))
    found = {f"{memory} 64": remembering(recipe, memory, 64) for memory in ENCODERS}
    if recipe.problem.states() is not None:
        found["table 16"] = remembering(recipe, "table", 16)
    return found


def remembering(recipe: Any, memory: str, width: int) -> Any:
    """The recipe with that history encoder; what its own encoder has in common with it stays."""
    kind, own = HistoryConfig.choices()[memory], recipe.method.memory
    kept = {name: getattr(own, name) for name in ("reader", "rounds") if hasattr(own, name)}
    known = {name: value for name, value in kept.items() if hasattr(kind, name)}
    return replace(recipe, method=replace(recipe.method, memory=kind(width=width, **known)))


def tables(only: list[str], families: list[str], rounds: int) -> list[dict[str, Any]]:
    """All rows."""
    rows: list[dict[str, Any]] = []
    if "random" in only:
        for family in families:
            run, steps = random_trials(family)
            rows.append({"what": f"random trials, {family}", "steps/s": rate(run, steps, rounds)})
    if "training" in only:
        for family in families:
            for memory, recipe in trainings(family).items():
                run, steps = training_step(recipe)
                what = f"training, {family}, {memory}"
                rows.append({"what": what, "steps/s": rate(run, steps, rounds)})
    if "peer" in only:
        for width in (64, 256):
            times = milliseconds(seconds(peers(width), rounds))
            steps = 256 * 100
            row = {"what": f"training, bandit of 100 pulls, GRU {width}"}
            row["steps/s"] = steps / times["ours"] * 1e3
            row["PyTorch steps/s"] = steps / times["PyTorch"] * 1e3
            rows.append({**row, "ratio": times["PyTorch"] / times["ours"]})
    columns = ("what", "steps/s", "PyTorch steps/s", "ratio")
    return [{column: row.get(column, "") for column in columns} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=["random", "training", "peer"])
    parser.add_argument("--families", nargs="*", default=FAMILIES, choices=FAMILIES)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    finish(tables(arguments.only, arguments.families, arguments.rounds), {}, arguments.json)


if __name__ == "__main__":
    main()
