"""Every method on every problem: it is built and takes the tasks, or it says why it cannot."""

import re
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.app.pairing import description, named_recipe, untouched, with_arguments
from quickstudy.experiments.methods import METHODS
from quickstudy.experiments.methods.blackbox import SupportMemoryConfig
from quickstudy.experiments.methods.inner_loop import InnerOptimiserConfig
from quickstudy.experiments.methods.transfer import TaskHeadConfig
from quickstudy.experiments.policy_method import PolicyMethod
from quickstudy.experiments.problem import Source
from quickstudy.rl.rl2 import trial_episodes
from quickstudy.training.algorithm import update
from references.encoders import stand_in
from references.icon_packages import icon_packages
from references.own_code import folder_of_classes, forget, npz_of_images

KEY = jax.random.key(0)
IMAGES = ("glyphs", "omniglot", "emoji", "folder", "npz")
EXAMPLES = (*IMAGES, "sinusoid", "vectors.py:Vectors")
COMPILED = ("bandit", "tabular", "gridnavi", "maze", "games", "navigation", "half-circle")
LEARNERS = list(dict.fromkeys(m.name for m in METHODS if not issubclass(m, PolicyMethod)))
POLICIES = list(dict.fromkeys(m.name for m in METHODS if issubclass(m, PolicyMethod)))
CLASSES_ONLY = {"prototypical", "matching", "relation", "transfer"}
SMALL = {
    "glyphs": "--filters 2",
    "emoji": "--filters 2 --size 12",
    "folder": "--filters 2 --size 12",
    "npz": "--filters 2",
}

# A data set of one's own: ten lines, and every learner that tells classes apart learns it.
VECTORS = """
from dataclasses import dataclass

import jax
import quickstudy as qs


@dataclass(frozen=True)
class Vectors(qs.ExampleProblem):
    inputs, outputs, classification = (4,), 3, True
    network = qs.find_problem("sinusoid").network
    def tasks(self, split, source):
        images = jax.numpy.eye(12).reshape(12, 1, 12).repeat(6, 1)[..., :4]
        return qs.Episodes(images, ways=3, shots=1, queries=3)
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What `--on` is given for each problem."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "vectors.py").write_text(VECTORS)
    yield {
        "folder": str(folder_of_classes(folder / "photos", classes=15, images=6)),
        "npz": str(npz_of_images(folder / "images.npz", classes=15, images=6)),
        "vectors.py:Vectors": str(folder / "vectors.py:Vectors"),
    }
    forget(folder)


@pytest.fixture(scope="module")
def emoji_data(tmp_path_factory):
    """Small packages, drawn once."""
    return icon_packages(tmp_path_factory.mktemp("emoji") / "emoji").parent


def paired(method, problem, places, flags=""):
    base = named_recipe(method, places.get(problem, problem))
    return with_arguments(base, [], flags.split(), prog="a test")[0].prepared()


def demand_learned(recipe, *, gradients):
    """Shapes only: nothing is computed."""
    method, problem, source = recipe.method, recipe.seen, Source()
    train = eqx.filter_eval_shape(method.training_tasks(problem, source).sample, KEY)
    test = eqx.filter_eval_shape(problem.tasks("test", source).sample, KEY)
    learner = recipe.learner()
    learner.check(train)
    method.for_test(learner).check(test)

    def parts(learner, task, key):
        gradient, metrics = learner.meta_gradient(task, key=key, progress=0.5)
        return *(eqx.filter(t, eqx.is_inexact_array) for t in (gradient, learner)), metrics

    if gradients:
        gradient, parameters, metrics = eqx.filter_eval_shape(parts, learner, train, KEY)
        assert "loss" in metrics
        assert jax.tree.structure(gradient) == jax.tree.structure(parameters)


@pytest.mark.parametrize("problem", EXAMPLES)
@pytest.mark.parametrize("method", LEARNERS)
def test_learners_of_examples(method, problem, places, request, monkeypatch):
    """On Omniglot the learners are those of glyphs, so that their gradients are not traced."""
    if problem == "omniglot":
        request.getfixturevalue("omniglot_data")
    if problem == "emoji":
        folder = request.getfixturevalue("emoji_data")
        monkeypatch.setenv("QUICKSTUDY_DATA", str(folder))
        monkeypatch.setenv("QUICKSTUDY_CACHE", str(folder))
    here = problem == "sinusoid"
    if (method in CLASSES_ONLY and here) or (method == "pretrained" and not here):
        name = "vectors" if problem.endswith("Vectors") else problem
        with pytest.raises(qs.BadInput, match=f"^{re.escape(method)} .* {name} "):
            paired(method, problem, places)
        return
    if (method, problem) == ("transfer", "vectors.py:Vectors"):
        with pytest.raises(qs.BadInput, match="no classes to pre-train on"):
            paired(method, problem, places)
        return
    recipe = paired(method, problem, places, SMALL.get(problem, ""))
    demand_learned(recipe, gradients=problem in ("glyphs", "sinusoid", "vectors.py:Vectors"))


@pytest.mark.parametrize("problem", COMPILED)
@pytest.mark.parametrize("method", POLICIES)
def test_policies_in_compiled_families(method, problem, places):
    """Shapes only: an improvement of a policy is a policy, and it acts in its test trials."""
    recipe = paired(method, problem, places, "--meta-batch 8 --width 4")
    algorithm = recipe.method.algorithm(recipe.problem, recipe.budget)
    state = eqx.filter_eval_shape(algorithm.init)
    after, metrics = eqx.filter_eval_shape(update, algorithm, state, KEY, jnp.zeros(()))
    assert {"loss", "return"} <= metrics.keys()
    assert jax.tree.structure(after) == jax.tree.structure(state)
    trial = recipe.problem.trial("test")
    assert "random" in recipe.method.references(recipe.problem, trial, 0)
    if method == "rl2":
        earned = eqx.filter_eval_shape(trial_episodes, algorithm.policy, trial, KEY, 4)
        assert earned.returns.shape == (4, recipe.problem.trial_episodes)


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        *[(method, "bandit") for method in LEARNERS if method not in POLICIES],
        *[("rl2", problem) for problem in EXAMPLES],
    ],
)
def test_examples_are_not_learned_by_acting_nor_the_reverse(method, problem, places):
    name = "vectors" if problem.endswith("Vectors") else problem
    with pytest.raises(
        qs.BadInput, match=f"^{re.escape(method)} learns .*, and {name} is not of that kind"
    ):
        paired(method, problem, places)


@pytest.mark.parametrize("problem", ["glyphs", "sinusoid"])
@pytest.mark.parametrize("network", ["conv4", "resnet12", "mlp"])
def test_networks_where_inputs_fit(network, problem, places):
    width = "--width 6" if network == "mlp" else "--filters 2"
    flags = f"--network {network} {width}"
    if problem == "sinusoid" and network != "mlp":
        with pytest.raises(qs.BadInput, match=rf"--network {network} reads images .* \[1\]"):
            paired("maml", problem, places, flags)
        return
    recipe = paired("maml", problem, places, flags)
    assert recipe.method.network.name == network
    demand_learned(recipe, gradients=False)


@pytest.mark.parametrize("method", [name for name in LEARNERS if name != "pretrained"])
def test_every_learner_on_features_of_a_pretrained_network(method, places, monkeypatch):
    stand_in(monkeypatch)
    recipe = paired(method, "folder", places, "--network efficientnet-lite0 --width 4 --size 12")
    demand_learned(recipe, gradients=method in ("prototypical", "cavia"))


@pytest.mark.parametrize("memory", SupportMemoryConfig.choices())
@pytest.mark.parametrize("labels", ["paired", "shifted"])
def test_every_memory_of_examples(memory, labels, places):
    flags = f"--filters 2 --memory {memory} --memory-size 8 --labels {labels}"
    if (memory, labels) == ("class-mean", "shifted"):
        with pytest.raises(qs.BadInput, match="give --labels paired"):
            paired("blackbox", "glyphs", places, flags)
        return
    recipe = paired("blackbox", "glyphs", places, flags)
    task = eqx.filter_eval_shape(recipe.problem.tasks("test", Source()).sample, KEY)
    learner = recipe.learner()
    learner.check(task)
    assert eqx.filter_eval_shape(lambda own, t: own.meta_loss(t)[0], learner, task).shape == ()


@pytest.mark.parametrize("head", TaskHeadConfig.choices())
def test_every_head_for_a_task(head, places):
    recipe = paired("transfer", "glyphs", places, f"--filters 2 --method {head}")
    task = eqx.filter_eval_shape(recipe.problem.tasks("test", Source()).sample, KEY)
    found = eqx.filter_eval_shape(
        lambda own, t: own.adapt(t.support)(t.query.x), recipe.learner(), task
    )
    assert found.shape == (25, 5)


@pytest.mark.parametrize("order", ["exact", "first"])
@pytest.mark.parametrize("optimiser", InnerOptimiserConfig.choices())
def test_every_inner_optimiser(optimiser, order, places):
    flags = f"--inner-optimiser {optimiser} --order {order} --width 4"
    demand_learned(paired("inner-loop", "sinusoid", places, flags), gradients=True)


def test_a_pair_has_the_settings_of_its_recipe():
    assert named_recipe("maml", "sinusoid") == qs.find_recipe("maml-sinusoid")
    assert named_recipe("pretrained", "bandit").method.inner_steps == 0
    assert named_recipe("maml", "gridnavi").name == "maml-gridnavi"


@pytest.mark.parametrize("method", ["maml", "fomaml", "reptile", "meta-sgd"])
def test_targets_that_are_numbers_have_the_rates_of_sinusoids(method, tmp_path):
    numbers, stem = VECTORS.replace("3, True", "3, False"), method.replace("-", "_")
    (tmp_path / f"{stem}_numbers.py").write_text(numbers)
    (tmp_path / f"{stem}_classes.py").write_text(VECTORS)
    rate = qs.find_recipe(f"{method}-sinusoid").method.inner_lr
    assert named_recipe(method, f"{tmp_path}/{stem}_numbers.py:Vectors").method.inner_lr == rate
    assert named_recipe(method, f"{tmp_path}/{stem}_classes.py:Vectors").method.inner_lr != rate


@pytest.mark.parametrize(
    ("named", "problem", "said"),
    [
        ("maml", None, "maml is a method; name a problem too, with --on"),
        ("maml-glyphs", "omniglot", "to learn another one .* quickstudy train maml --on omniglot"),
        ("maml", "glyph", "no problem 'glyph'.*did you mean glyphs"),
        ("maml", "folder", "stands for data of your own; give the folder's"),
        ("maml", "maml-glyphs", "is a recipe; its problem is glyphs"),
        ("proto", "glyphs", "no method 'proto'; did you mean prototypical"),
        ("maml-omnigolt", None, "did you mean maml-omniglot"),
    ],
)
def test_what_cannot_be_paired_says_what_would_do(named, problem, said):
    with pytest.raises(qs.BadInput, match=said):
        named_recipe(named, problem)


def test_transfer_does_not_train_on_tasks(places):
    with pytest.raises(qs.BadInput, match=r"all classes, not on tasks; leave --fewest-shots"):
        paired("transfer", "glyphs", places, "--fewest-shots 1")


@pytest.mark.parametrize(
    ("named", "on", "flags"),
    [
        ("maml-glyphs", None, "--inner-lr 0.3 --shots 2"),
        ("maml", "sinusoid", "--inner-lr 0.3 --steps 3"),
        ("cavia", "glyphs", "--context 3 --network mlp --width 5 --ways 3"),
        ("prototypical", "vectors.py:Vectors", "--steps 3 --meta-batch 2"),
        ("rl2", "gridnavi", "--memory lstm --width 8 --trial-episodes 2"),
    ],
)
def test_the_settings_of_a_run_before_any_flag(named, on, flags, places):
    base = named_recipe(named, places.get(on, on))
    changed = with_arguments(base, [], flags.split(), prog="a test")[0]
    as_named = replace(base, method=base.method.prepared(base.problem))
    assert untouched(changed) == as_named != changed


def test_help_leaves_out_what_nobody_has_measured(places):
    told = description(named_recipe("prototypical", places["vectors.py:Vectors"]))
    assert "Must reach" not in told
    assert "On vectors\n\nSource" in told
    assert "Must reach 90 %" in description(named_recipe("maml-glyphs", None))
