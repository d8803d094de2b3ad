"""What all methods of learners share."""

import json

import jax
import numpy as np
import pytest

from quickstudy.experiments.keys import head_key, training_key, weights_key
from quickstudy.experiments.problem import Source
from quickstudy.runs import Run
from quickstudy.training.meta_training import episode_scores
from references.recipes import typed

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
