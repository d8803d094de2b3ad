"""What each learner costs: compile time, tasks per second, memory; all in one run.

    python benchmarks/cost.py [--rounds 5] [--recipes maml-glyphs ...] [--json FILE]

Every recipe on glyphs, in each form that it has, with the same number of 5-way 1-shot tasks:
one meta-step as `quickstudy train` runs it, then the same tasks adapted to and answered. (Transfer
baselines train on batches of all classes, 64 images to a "task".) Memory is the compiled
program's temporary memory on one device; nothing comes from a cache of compiled programs.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import quickstudy as qs
from quickstudy.experiments.problem import Source
from quickstudy.experiments.recipes import RECIPES
from quickstudy.experiments.settings import Choice
from quickstudy.training.algorithm import update
from quickstudy.training.meta_training import MetaTraining, episode_scores
from side_by_side import finish, milliseconds, seconds

TASKS = 8
FORMS = ("memory", "context", "method")
"""The settings of methods that choose another learner."""


def variants(name: str) -> Iterator[tuple[str, Any]]:
    """A recipe in each of its forms, and what to call them."""
    recipe = RECIPES[name].prepared()
    forms = [form for form in FORMS if hasattr(recipe.method, form)]
    choices = [choices_of(getattr(recipe.method, form)) for form in forms]
    for chosen in itertools.product(*choices):
        own = dict(zip(forms, (kind() for _, kind in chosen), strict=True))
        method = replace(recipe.method, **own)
        if hasattr(method, "train_ways"):  # or prototypes would train on more ways than others
            method = replace(method, train_ways=recipe.problem.ways)
        yield ", ".join((name, *(word for word, _ in chosen))), replace(recipe, method=method)


def choices_of(value: Any) -> list[tuple[str, Any]]:
    """The other choices of a value's kind, and itself, by name."""
    kind = next(base for base in type(value).__mro__ if Choice in base.__bases__)
    return list(kind.choices().items())


def compiled(function: Callable[..., Any], *arguments: Any) -> tuple[Any, dict[str, float]]:
    """The compiled function without arguments, and what compiling it cost."""
    began = time.perf_counter()
    program = eqx.filter_jit(function).lower(*arguments).compile()
    cost = {"compile s": time.perf_counter() - began}
    cost["MiB"] = program.compiled.memory_analysis().temp_size_in_bytes / 2**20
    return lambda: jax.block_until_ready(program(*arguments)), cost


def training(recipe: Any) -> tuple[Any, dict[str, float]]:
    """One meta-step."""
    tasks = recipe.method.training_tasks(recipe.problem, Source())
    algorithm = MetaTraining(recipe.learner(), tasks, tasks, optax.adam(1e-3), TASKS, TASKS)
    return compiled(
        update,
        *(algorithm, algorithm.init(), jax.random.key(0), jnp.array(0.5)),
    )


def testing(recipe: Any) -> tuple[Any, dict[str, float]]:
    """The adaptation to test tasks, and the answers to their queries."""
    learner = recipe.method.for_test(recipe.learner())
    tasks = recipe.problem.tasks("test", Source())
    return compiled(
        lambda learner, tasks, key: episode_scores(learner, tasks, key, TASKS)[1],
        *(learner, tasks, jax.random.key(0)),
    )


def measured(recipe: Any, rounds: int) -> dict[str, float]:
    """A row's numbers."""
    row = {}
    for name, prepare in (("train", training), ("test", testing)):
        run, cost = prepare(recipe)
        took = milliseconds(seconds({name: run}, rounds))[name]
        numbers = {"tasks/s": 1000 * TASKS / took, **cost}
        row.update({f"{name}: {what}": number for what, number in numbers.items()})
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recipes", nargs="*", default=[n for n in RECIPES if "glyphs" in n])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    qs.set_up_devices()
    jax.config.update("jax_enable_compilation_cache", False)
    began, rows = time.perf_counter(), []
    for recipe in arguments.recipes:
        for name, variant in variants(recipe):
            rows.append({"learner": name, **measured(variant, arguments.rounds)})
            print(f"{name}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    extra = {"tasks per step": TASKS, "minutes": (time.perf_counter() - began) / 60}
    finish(rows, extra, arguments.json)


if __name__ == "__main__":
    main()
