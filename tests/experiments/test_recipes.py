"""Every recipe: its learner takes its tasks, and its settings survive the way to JSON and back."""

import dataclasses
import itertools
import os

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from quickstudy.recipes import RECIPES, FewShot, MetaRL, Shape, from_json
from quickstudy.recipes.on_host import OnHost

import quickstudy as qs
from quickstudy.rl.rl2 import trial_episodes
from quickstudy.tasks.all_classes import AllClasses

KEY = jax.random.key(0)
HERE = bool(os.environ.get("QUICKSTUDY_DATA"))
NEEDS_DATA = pytest.mark.skipif(not HERE, reason="QUICKSTUDY_DATA names no folder with Omniglot")


def marked(name):
    return pytest.param(name, marks=NEEDS_DATA if "omniglot" in name else ())


FEW_SHOT = [name for name, recipe in RECIPES.items() if issubclass(recipe, FewShot)]
COMPILED = [  # what acts on the host cannot be traced: those recipes train in their own tests
    name
    for name, recipe in RECIPES.items()
    if issubclass(recipe, MetaRL) and not issubclass(recipe, OnHost)
]


@pytest.mark.parametrize("name", COMPILED)
def test_policy_and_trials_fit(name):
    """Shapes only: a policy acts in its test trials, and an improvement is one of its policy."""
    recipe = RECIPES[name]()
    algorithm = dataclasses.replace(recipe, meta_batch=8).algorithm()
    state = eqx.filter_eval_shape(algorithm.init)
    after, metrics = eqx.filter_eval_shape(algorithm.update, state, KEY, jnp.zeros(()))
    assert {"loss", "return"} <= metrics.keys()
    assert jax.tree.structure(after) == jax.tree.structure(state)
    trial = recipe.trial("test")
    earned = eqx.filter_eval_shape(trial_episodes, algorithm.policy, trial, KEY, 4)
    assert earned.returns.shape == (4, recipe.episodes)
    assert "random" in recipe.references("test")


@pytest.mark.parametrize("name", [marked(name) for name in FEW_SHOT])
def test_learner_and_tasks_fit(name):
    """Shapes only: nothing is computed. On Omniglot the learners are those of the other data."""
    recipe = RECIPES[name]()
    learner = recipe.learner()
    train, test = (
        eqx.filter_eval_shape(recipe.tasks(split).sample, KEY) for split in ("train", "test")
    )
    learner.check(train)
    recipe.for_test(learner).check(test)
    if "omniglot" in name:
        return

    def parts(learner, task, key):
        gradient, metrics = learner.meta_gradient(task, key=key, progress=0.5)
        return *(eqx.filter(t, eqx.is_inexact_array) for t in (gradient, learner)), metrics

    gradient, parameters, metrics = eqx.filter_eval_shape(parts, learner, train, KEY)
    assert "loss" in metrics
    assert jax.tree.structure(gradient) == jax.tree.structure(parameters)


def test_one_half_does_not_undo_the_other():
    """Defaults follow Python's order of bases, which a dataclass by itself does not."""
    prototypical = RECIPES["prototypical-omniglot"]()
    assert (prototypical.filters, prototypical.queries, prototypical.train_ways) == (64, 0, 60)
    first_order = RECIPES["fomaml-glyphs"]()
    assert (first_order.steps, first_order.meta_batch, first_order.inner_lr) == (2000, 8, 0.4)
    reptile = RECIPES["reptile-omniglot"]()
    assert (reptile.filters, reptile.learning_rate, reptile.queries) == (64, 1.0, 9)
    assert "steps" in {field.name for field in dataclasses.fields(first_order)}


@pytest.mark.parametrize("name", RECIPES)
def test_to_json_and_back(name):
    recipe = dataclasses.replace(RECIPES[name](), seed=7, steps=5)
    assert from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_everything_is_stated(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    assert recipe.reaches
    assert recipe.takes
    assert "http" in recipe.source
    undocumented = [
        field.name
        for base in recipe.__mro__[:-1]
        for field in getattr(base, "__annotations__", {})
        if field.startswith("_")
    ]
    assert not undocumented


@pytest.mark.parametrize(
    "name", ["transfer-glyphs", pytest.param("transfer-omniglot", marks=NEEDS_DATA)]
)
def test_transfer_knows_how_many_classes_there_are(name):
    recipe = RECIPES[name]()
    tasks = recipe.tasks("train")
    assert isinstance(tasks, AllClasses)
    assert tasks.classes == recipe.train_classes
    assert isinstance(recipe.tasks("test"), qs.Episodes)


def test_more_ways_in_training_than_at_test():
    recipe = RECIPES["prototypical-glyphs"]()
    assert recipe.tasks("train").ways == 20
    assert recipe.tasks("test").ways == 5
    assert recipe.tasks("test", Shape(ways=7, shots=3)).ways == 7


def test_training_tasks_of_different_sizes():
    """Validation and test tasks stay as they are."""
    settings = {"fewest_ways": 3, "fewest_shots": 2, "shots": 4}
    recipe = from_json({"recipe": "prototypical-glyphs", **settings})
    tasks = recipe.tasks("train")
    assert isinstance(tasks, qs.Varying)
    assert (tasks.ways, tasks.episodes.ways, tasks.shots, tasks.episodes.shots) == (3, 20, 2, 4)
    assert all(isinstance(recipe.tasks(s), qs.Episodes) for s in ("validation", "test"))
    recipe.learner().check(eqx.filter_eval_shape(tasks.sample, KEY))
    assert from_json(recipe.to_json()) == recipe
    only_shots = dataclasses.replace(recipe, fewest_ways=0).tasks("train")
    assert (only_shots.ways, only_shots.shots) == (20, 2)


def test_sizes_that_cannot_be():
    recipe = RECIPES["prototypical-glyphs"](fewest_ways=30)
    with pytest.raises(qs.BadInput, match=r"fewest ways are 30; give a number from 2 to 20"):
        recipe.tasks("train")
    with pytest.raises(qs.BadInput, match=r"all classes, not on tasks; leave --fewest-ways"):
        RECIPES["transfer-glyphs"](fewest_shots=1).tasks("train")


@pytest.mark.parametrize("memory", ["lstm", "gru", "snail", "transformer", "mean", "attention"])
@pytest.mark.parametrize("labels", ["paired", "shifted"])
def test_every_memory(memory, labels):
    recipe = dataclasses.replace(RECIPES["blackbox-glyphs"](), memory=memory, labels=labels)
    task = eqx.filter_eval_shape(recipe.tasks("test").sample, KEY)
    learner = recipe.learner()
    learner.check(task)
    assert eqx.filter_eval_shape(lambda own, t: own.meta_loss(t)[0], learner, task).shape == ()


@pytest.mark.parametrize("method", ["centroid", "head", "cosine", "all"])
def test_every_transfer_method(method):
    recipe = dataclasses.replace(RECIPES["transfer-glyphs"](), method=method)
    task = eqx.filter_eval_shape(recipe.tasks("test").sample, KEY)
    found = eqx.filter_eval_shape(
        lambda own, t: own.adapt(t.support)(t.query.x), recipe.learner(), task
    )
    assert found.shape == (25, 5)


def test_inner_rates_are_learned_slowly_on_sinusoids():
    """Adam's first step is β for every number, and 1e-5 for the inner rates."""
    recipe = RECIPES["maml++-sinusoid"]()
    theta = eqx.filter(recipe.learner(), eqx.is_inexact_array)
    ones, optimiser = jax.tree.map(jnp.ones_like, theta), recipe.optimiser()
    updates, _ = optimiser.update(ones, optimiser.init(theta), theta)
    assert all(jnp.allclose(u, -1e-5, rtol=1e-3) for u in jax.tree.leaves(updates.rates))
    assert all(jnp.allclose(u, -1e-3, rtol=1e-3) for u in jax.tree.leaves(updates.model))


def small(name, **settings):
    few = {"trajectories": 2} if name.startswith("maml") else {"minibatches": 2, "memory": "none"}
    size = {"meta_batch": 4, "validation_episodes": 4, "width": 4, "steps": 3}
    return RECIPES[name](**size, **few, **settings)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("rl2-bandit", {"improvement": "ppo"}),
        ("rl2-bandit", {"improvement": "policy-gradient"}),
        ("rl2-bandit", {"improvement": "trpo"}),
        ("maml-navigation", {"outer": "promp"}),
    ],
)
def test_the_rate_falls_to_zero_with_the_last_step(name, setting):
    """However many updates a step makes: after three steps of three nothing moves any more, and in
    the third everything still did. (The critic's, of which TRPO's optimiser is in charge alone.)"""
    algorithm = small(name, **setting).algorithm()
    update, states = eqx.filter_jit(algorithm.update), [algorithm.init()]
    for key in jax.random.split(KEY, 4):
        states.append(update(states[-1], key, jnp.zeros(()))[0])
    learned = [algorithm.learned(state) for state in states]
    moved = learned if name.startswith("maml") else [policy.critic for policy in learned]
    steps = [
        max(float(jnp.abs(x - y).max()) for x, y in zip(*map(jax.tree.leaves, pair), strict=True))
        for pair in itertools.pairwise(moved[2:])
    ]
    assert steps[0] > 1e-5
    assert steps[1] == 0


def test_what_is_never_cleared_is_tested_with_memories_of_another_task():
    never = RECIPES["rl2-bandit"](forgets="never", told="no-beginnings", episodes=3, arms=10)
    trial, policy = never.trial("test"), never.learner()
    weight = jax.random.normal(KEY, policy.actor.weight.shape)
    actor = eqx.tree_at(lambda p: p.actor.weight, policy, weight)
    run = eqx.filter_jit(trial_episodes)
    found = never.earning(actor, "test")(KEY, 200).returns
    assert (found == run(actor, trial, KEY, 200, in_a_row=2).returns).all()
    # With the same keys, only what it remembers differs.
    assert not (found == run(actor, trial, KEY, 200).returns).all()


def test_memories_never_cleared_are_not_for_the_host():
    with pytest.raises(qs.BadInput, match="--forgets between-tasks"):
        RECIPES["rl2-cheetah"](forgets="never").in_a_row  # noqa: B018


KNOWS = {
    "rl2-bandit": "best arm",
    "rl2-tabular": "optimum",
    "rl2-gridnavi": "goal known",
    "rl2-maze": "maze known",
    "rl2-games": "game known",
    "rl2-half-circle": "goal known",
    "rl2-navigation": "goal known",
}


@pytest.mark.parametrize("name", [name for name in COMPILED if name.startswith("rl2")])
def test_who_knows_the_task_earns_more(name):
    """In the same tasks than random actions do, and nobody is expected to earn more."""
    recipe = RECIPES[name](episodes=2)
    found = {
        who: np.asarray(getattr(earned, "returns", earned)).sum(1).mean()
        for who, reference in recipe.references("test").items()
        for earned in [reference(KEY, 200)]
    }
    knows = found.pop(KNOWS[name])
    assert knows > found["random"] + 0.2
    # What is compared is luck too, where planners draw their own.
    assert knows > max(found.values()) - (0.1 if name == "rl2-bandit" else 0)
    assert len(found) >= {"rl2-bandit": 8, "rl2-tabular": 7, "rl2-gridnavi": 2}.get(name, 1)


def test_the_optimum_of_a_grid_is_that_of_its_goal():
    """The straight walk is not longer than the optimum's, and a goal beside the start is found
    sooner than one in the corner."""
    references = RECIPES["rl2-gridnavi"](episodes=2).references("test")
    best, known = (references[name](KEY, 50) for name in ("Bayes optimum", "goal known"))
    assert best.shape == known.shape == (50, 2)
    assert (best[:, 0] <= known[:, 0] + 1e-6).all()
    assert len(np.unique(best[:, 0])) > 5
