"""What methods share: what they refuse, which network they get, and how long they train."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.experiments.budget import Budget
from quickstudy.experiments.keys import head_key, training_key, weights_key
from quickstudy.experiments.methods.maml import MAMLConfig
from quickstudy.experiments.methods.prototypical import PrototypicalConfig
from quickstudy.experiments.methods.rl2 import RL2Config
from quickstudy.experiments.networks import Conv4Config, MLPConfig
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.bandit import BanditFamily
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.runs import Run
from quickstudy.training.meta_training import episode_scores
from references.recipes import typed
from references.small_problems import CURVES, NETWORK, POINTS


def test_problems_of_another_kind_are_refused():
    with pytest.raises(
        qs.BadInput, match=r"maml learns from labelled examples, and bandit is not .*--on bandit"
    ):
        MAMLConfig().check(BanditFamily())
    with pytest.raises(qs.BadInput, match="rl2 learns by acting in a family of MDPs, and sinusoid"):
        RL2Config().check(CURVES)


def test_a_network_that_does_not_read_the_inputs_is_refused():
    MAMLConfig(Conv4Config()).check(GlyphImages())
    with pytest.raises(qs.BadInput, match="--network conv4 reads images"):
        MAMLConfig(Conv4Config()).check(POINTS)


def test_the_problem_s_network_unless_another_is_asked_for():
    assert MAMLConfig().prepared(GlyphImages()).network == GlyphImages().network
    asked = MAMLConfig(MLPConfig(width=7))
    assert asked.prepared(GlyphImages()) is asked
    assert MAMLConfig().body_of(POINTS) == NETWORK


def test_a_head_for_classes_starts_at_zero_and_one_for_numbers_is_drawn():
    method = MAMLConfig(NETWORK)
    assert not np.any(method.model(POINTS, 0).head.weight)
    assert np.all(method.model(POINTS, 0, drawn=True).head.weight)
    assert np.all(method.model(CURVES, 0).head.weight)


def test_the_seed_decides_the_weights():
    first, again, other = (MAMLConfig(NETWORK).model(CURVES, seed) for seed in (0, 0, 1))
    leaves = [jax.tree.leaves(model) for model in (first, again, other)]
    assert all(map(np.array_equal, leaves[0], leaves[1]))
    assert not np.array_equal(leaves[0][0], leaves[2][0])


def test_what_stands_on_a_body_has_a_key_of_its_own():
    body, size, key = PrototypicalConfig(NETWORK).features(POINTS, 0)
    assert size == 3
    assert body.layers[0].weight.shape == (2, 3)
    assert not np.array_equal(jax.random.key_data(key), jax.random.key_data(jax.random.key(0)))


def test_a_budget_is_the_problem_s_own():
    budget = MAMLConfig().budget(CURVES)
    assert {name: getattr(budget, name) for name in CURVES.usual} == CURVES.usual
    assert MAMLConfig().unread() == frozenset()


def test_training_is_made_of_the_budget_and_reads_data_first(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "quickstudy.training.train.train",
        lambda learner, tasks, **more: asked.append((learner, tasks, more)),
    )
    method = MAMLConfig(NETWORK)
    budget = replace(method.budget(CURVES), steps=7, meta_batch=3, seed=5)
    trainer = method.training(CURVES, budget, Source())
    assert not asked
    trainer(run="here")
    [(learner, tasks, more)] = asked
    assert isinstance(learner, qs.MAML)
    assert tasks == more["validation"] == qs.Sinusoid(shots=10, queries=10)
    assert (more["plan"].steps, more["plan"].meta_batch, more["run"]) == (7, 3, "here")
    assert more["key"] == training_key(5)
    with pytest.raises(qs.BadInput, match="steps is 0"):
        method.training(CURVES, replace(budget, steps=0), Source())


def test_who_learns_from_examples_does_not_act(tmp_path):
    with pytest.raises(qs.BadInput, match="maml learns from examples and does not act"):
        MAMLConfig().play(CURVES, None, Budget(), ("test", 0), tmp_path)


def test_other_settings_for_a_test_leave_what_was_learned():
    method, learned = MAMLConfig().retested("learned", CURVES, {"test_inner_steps": 9})
    assert (method.test_inner_steps, learned) == (9, "learned")


SMALL = "--steps 1 --meta-batch 1 --validate-every 1 --validation-episodes 8 --width 6"


@pytest.mark.parametrize("steps", [0, 5])
def test_validation_takes_as_many_inner_steps_as_tests(tmp_path, steps):
    """What `--test-inner-steps` says, though training takes one."""
    recipe = typed("maml-sinusoid", f"{SMALL} --test-inner-steps {steps}")
    trainer = recipe.training()
    run = Run.create(tmp_path / "run", recipe.to_json())
    learned = trainer(run=run)
    assert learned.steps == 1
    tested = recipe.method.for_test(learned)
    assert tested.steps == (steps or 1)
    tasks = recipe.problem.training_tasks("validation", Source())
    lines = (run.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    found = json.loads(lines[-1])["validation_squared_error"]
    keys = jax.random.split(training_key(recipe.budget.seed))
    wanted, other = (
        [float(episode_scores(own, tasks, key, 8)[1].mean()) for key in keys]
        for own in (tested, learned)
    )
    assert any(found == pytest.approx(one, rel=1e-4) for one in wanted), (found, wanted)
    assert steps == 0 or not any(found == pytest.approx(one, rel=1e-3) for one in other)


def test_body_head_and_tasks_draw_from_keys_of_their_own():
    """No two begin with the same numbers: a head's were those of the body's second layer."""
    recipe = typed("maml-sinusoid")
    learner, used = recipe.learner(), recipe.training().keywords["key"]
    layers = [layer.weight for layer in learner.model.body.layers] + [learner.model.head.weight]
    firsts = [np.sign(np.ravel(weight)[:40]).tolist() for weight in layers]
    assert len({tuple(first) for first in firsts}) == len(layers)
    drawn = jax.random.key_data(used).tolist()
    for seed in range(4):
        parts = [weights_key(seed), head_key(seed), *jax.random.split(weights_key(seed), 64)]
        assert drawn not in [jax.random.key_data(part).tolist() for part in parts]
    assert drawn == jax.random.key_data(training_key(0)).tolist()
