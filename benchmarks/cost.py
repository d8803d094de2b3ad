"""What each learner costs: compile time, tasks per second, memory; all in one run.

    python benchmarks/cost.py [--rounds 5] [--recipes maml-glyphs ...] [--json FILE]

One meta-step of every recipe on glyphs, as `quickstudy train` runs it, with the same number of
5-way 1-shot tasks. Memory is the compiled step's temporary memory on one device.
"""

import argparse
import dataclasses
import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import quickstudy as qs
from quickstudy.learners.meta_training import MetaTraining
from quickstudy.recipes import RECIPES, Shape
from side_by_side import finish, milliseconds, seconds

TASKS = 8
MEMORIES = ("lstm", "gru", "snail", "transformer", "mean", "attention")


def variants(name: str) -> dict[str, Any]:
    """A recipe, and one for each of its memories where it has them."""
    recipe = RECIPES[name]()
    if not hasattr(recipe, "memory"):
        return {name: recipe}
    return {f"{name}, {memory}": dataclasses.replace(recipe, memory=memory) for memory in MEMORIES}


def prepared(recipe: Any) -> tuple[Any, dict[str, float]]:
    """A compiled meta-step without arguments, and what compiling it cost."""
    tasks = recipe.tasks("train", Shape(ways=5, shots=1, queries=5))
    algorithm = MetaTraining(recipe.learner(), tasks, tasks, optax.adam(1e-3), TASKS, TASKS)
    state = algorithm.init()
    step = eqx.filter_jit(lambda own, state, key, p: own.update(state, key, p))
    arguments = (algorithm, state, jax.random.key(0), jnp.array(0.5))
    began = time.perf_counter()
    compiled = step.lower(*arguments).compile()
    cost = {"compile s": time.perf_counter() - began}
    memory = compiled.compiled.memory_analysis()
    cost["MiB"] = memory.temp_size_in_bytes / 2**20
    return lambda: jax.block_until_ready(compiled(*arguments)), cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recipes", nargs="*", default=[n for n in RECIPES if "glyphs" in n])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    jax.config.update("jax_enable_compilation_cache", False)
    rows = []
    for recipe in arguments.recipes:
        for name, variant in variants(recipe).items():
            step, cost = prepared(variant)
            took = milliseconds(seconds({name: step}, arguments.rounds))[name]
            rows.append({"recipe": name, "tasks/s": 1000 * TASKS / took, "ms": took, **cost})
            print(rows[-1], flush=True)
    finish(rows, {"tasks per step": TASKS}, arguments.json)


if __name__ == "__main__":
    main()
