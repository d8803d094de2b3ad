"""What every learner has from its base: the checks, and the predictor before adapting."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.learners.learner import check_outputs
from references.small_pictures import PICTURES, conv

KEY = jax.random.key(0)


def test_learners_that_do_not_keep_statistics_refuse_the_norm():
    qs.MAMLPlusPlus.create(conv("running"), inner_lr=0.5, steps=2).check(PICTURES)
    for learner in (qs.MAML(conv("running")), qs.Prototypical(conv("running"))):
        with pytest.raises(qs.BadInput, match=r"does not keep the averages.*another norm"):
            learner.check(PICTURES)


class Constant(qs.Learner):
    """Answers with the support set's mean target, whatever it is asked."""

    def adapt(self, support, *, key=None):
        mean = jnp.mean(support.y, 0)
        return lambda x: jnp.broadcast_to(mean, (x.shape[0], *mean.shape))


def targets(*ys):
    return qs.Examples(jnp.zeros((len(ys), 1)), jnp.array(ys)[:, None])


def test_a_subclass_writes_adapt_and_has_the_rest():
    """The support set's mean is 2; the queries 1 and 5 are 1 and 3 away from it."""
    learner = Constant(loss=qs.squared_error)
    task = qs.Task(targets(1.0, 3.0), targets(1.0, 5.0))
    loss, metrics = learner.meta_loss(task)
    assert float(loss) == (1 + 9) / 2
    assert metrics.keys() == {"loss", "squared_error"}
    assert learner.adapt_by_steps(task.support, 3) is None
    assert not learner.transductive


def test_before_adapting_all_answers_are_equally_likely():
    support = qs.Examples(jnp.ones((2, 3)), jnp.array([0, 3]), 4)
    found = Constant().unadapted(support)(jnp.ones((5, 3)))
    np.testing.assert_array_equal(found, np.zeros((5, 4)))


def test_outputs_must_be_as_many_as_targets():
    model, task = qs.MLP(1, (2,), key=KEY), qs.Task(targets(1.0), targets(1.0))
    with pytest.raises(qs.BadInput, match=r"Constant was built for 2 outputs .* targets of size 1"):
        check_outputs(Constant(), model, task)
