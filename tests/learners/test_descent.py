"""The inner loop and its predictors: by hand, and for more steps than in training."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.learners.descent import descent


class Slope(eqx.Module):
    """y = w x."""

    w: jax.Array

    def __call__(self, x):
        return self.w * x


# L(w) = (w · 1 − 3)², so w ← w − α · 2 (w − 3), which with α = ¼ halves the way to 3.
SUPPORT = qs.Examples(jnp.array([[1.0]]), jnp.array([[3.0]]))
WAY = [1.0, 2.0, 2.5, 2.75, 2.875]


def learner(make, steps=2):
    return make(Slope(jnp.array(1.0)), inner_lr=0.25, steps=steps, loss=qs.squared_error)


def test_descent_by_hand():
    end, passed = descent(
        Slope(jnp.array(1.0)), SUPPORT, qs.squared_error, rule=qs.Rate(0.25), steps=3
    )
    assert float(end.w) == WAY[3]
    assert passed.w.tolist() == WAY[:3]


def test_fewer_than_no_steps():
    with pytest.raises(
        qs.BadInput, match="the inner loop has -3 steps; give a whole number of 0 or more"
    ):
        learner(qs.MAML, steps=-3).adapt(SUPPORT)


def test_a_support_set_for_each_step():
    """Targets 3, then 2, then 0: 1 → 2 → 2 → 1."""
    supports = qs.Examples(jnp.ones((3, 1, 1)), jnp.array([3.0, 2.0, 0.0]).reshape(3, 1, 1))
    model = Slope(jnp.array(1.0))
    end, passed = descent(model, supports, qs.squared_error, rule=qs.Rate(0.25), steps=None)
    assert float(end.w) == 1
    assert passed.w.tolist() == [1, 2, 2]


def test_every_descending_learner():
    for make in (qs.MAML, qs.JointFineTuning):
        assert float(learner(make).adapt(SUPPORT).w) == WAY[2]
        assert float(learner(make, steps=0).adapt(SUPPORT).w) == WAY[0]
        assert float(learner(make).unadapted(SUPPORT).w) == WAY[0]
        assert learner(make).adapt_by_steps(SUPPORT, 4).w.tolist() == WAY


def test_joint_training_does_not_adapt():
    """Its meta-loss at w = 1 is (1 · 2 − 5)²; MAML's after two steps is (2.5 · 2 − 5)²."""
    task = qs.Task(SUPPORT, qs.Examples(jnp.array([[2.0]]), jnp.array([[5.0]])))
    found = {
        make: float(learner(make).meta_loss(task)[0]) for make in (qs.MAML, qs.JointFineTuning)
    }
    assert found == {qs.MAML: 0, qs.JointFineTuning: 9}


def test_memory_does_not_grow_with_the_activations_of_every_step():
    """Activations of the inner steps are not kept: memory hardly grows with their number."""
    model = qs.MLP(8, (64, 64, 1), key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (512, 8))
    support = qs.Examples(x, x[:, :1])

    def bytes_for(steps):
        def objective(model):
            end, _ = descent(model, support, qs.squared_error, rule=qs.Rate(0.01), steps=steps)
            return qs.squared_error(end(x), support.y)

        compiled = jax.jit(jax.grad(objective)).lower(model).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    activations, parameters = (
        4 * 512 * 2 * 64,
        4 * sum(leaf.size for leaf in jax.tree.leaves(model)),
    )
    growth = bytes_for(21) - bytes_for(1)
    assert growth < 20 * 2 * parameters < 20 * activations / 2
