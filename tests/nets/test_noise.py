"""Networks that draw: in training, and not where they are used."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import quickstudy as qs
from quickstudy.training.algorithm import update
from quickstudy.training.meta_training import MetaTraining
from references.own_module import OwnModule, episodes

KEY = jax.random.key(0)


class OneTask(eqx.Module):
    """The same task again and again, whatever the key."""

    task: qs.Task

    def sample(self, key):
        return self.task


def test_dropout_draws_in_training_and_not_in_evaluation():
    tasks = OneTask(episodes(2).sample(KEY))
    thinned = qs.MAML(qs.Noisy(OwnModule(KEY)), inner_lr=0.5, steps=2)
    whole = qs.MAML(qs.Batched(eqx.nn.inference_mode(OwnModule(KEY))), inner_lr=0.5, steps=2)
    support, query = tasks.task.support, tasks.task.query
    with jax.disable_jit():  # two compiled programs may round differently
        found, wanted = (learner.adapt(support)(query.x) for learner in (thinned, whole))
    np.testing.assert_array_equal(found, wanted)

    @eqx.filter_jit
    def losses(training, key):
        return update(training, training.init(), key, jnp.zeros(()))[1]["loss"]

    for batch in (1, 2):
        first, second, plain = (
            float(losses(MetaTraining(learner, tasks, tasks, optax.sgd(0.1), batch, 2), key))
            for learner, key in ((thinned, KEY), (thinned, jax.random.key(1)), (whole, KEY))
        )
        assert len({first, second, plain}) == 3
        if batch == 1:
            alone = first
    assert first != alone, "every task draws anew"
