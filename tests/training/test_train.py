"""Meta-training of a learner, from its tasks to its best weights."""

import jax
import pytest

import quickstudy as qs
from quickstudy.checkpoint import load_arrays
from quickstudy.testing.comparing import same_bits
from quickstudy.training.train import train
from references import tiny_training

KEY = jax.random.key(0)


def test_tasks_that_the_learner_cannot_take():
    tasks = qs.Sinusoid(shots=2)
    learner = qs.MAML(qs.MLP(1, (4, 3), key=KEY), loss=qs.squared_error)
    with pytest.raises(qs.BadInput, match=r"3 outputs.*targets of size 1"):
        train(learner, tasks, validation=tasks, key=KEY)
    with pytest.raises(qs.BadInput, match="needs class labels"):
        train(qs.Prototypical(learner.model), tasks, validation=tasks, key=KEY)


def test_meta_training_is_saved_as_it_is_returned(tmp_path):
    run = qs.Run.create(tmp_path / "run", tiny_training.RECIPE)
    trained = tiny_training.main(run)
    assert same_bits(load_arrays(run.learner_file, trained), trained)
    assert {p.name for p in run.folder.iterdir()} == {
        "recipe.json", "environment.json", "metrics.jsonl", "checkpoints", "learner.safetensors"
    }  # fmt: skip
    first, last = run.metrics()[0], run.metrics()[-1]
    assert first.keys() >= {"step", "loss", "squared_error", "gradient_norm", "seconds"}
    assert last["validation_score"] == -last["validation_squared_error"]
