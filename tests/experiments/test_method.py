"""What all methods of learners share."""

import json

import jax
import pytest

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
    keys = jax.random.split(jax.random.key(recipe.budget.seed))
    wanted, other = (
        [float(episode_scores(own, tasks, key, 8)[1].mean()) for key in keys]
        for own in (tested, learned)
    )
    assert any(found == pytest.approx(one, rel=1e-4) for one in wanted), (found, wanted)
    assert steps == 0 or not any(found == pytest.approx(one, rel=1e-3) for one in other)
