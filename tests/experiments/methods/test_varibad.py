"""VariBAD as settings: what is predicted, where, and that all rates end at zero."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import quickstudy as qs
from quickstudy.testing.comparing import same_bits
from quickstudy.training.algorithm import update
from references.recipes import algorithm, typed

KEY = jax.random.key(0)
FEW = "--meta-batch 8 --validation-episodes 4 --width 4 --steps 3"


def test_all_rates_fall_to_zero_with_the_last_step():
    """The policy's and the model's, however many updates a step makes: after three steps of three
    nothing moves any more, and in the third everything still did."""
    found = algorithm(
        typed(
            "varibad-gridnavi",
            f"{FEW} --epochs 2 --minibatches 2 --model-epochs 3 --model-minibatches 2 "
            "--policy-warm-up 0",
        )
    )
    step, states = eqx.filter_jit(update), [found.init()]
    for key in jax.random.split(KEY, 4):
        states.append(step(found, states[-1], key, jnp.zeros(()))[0])
    for part in (lambda s: s.acting.parameters, lambda s: s.model):
        steps = [
            max(float(jnp.abs(x - y).max()) for x, y in zip(*map(jax.tree.leaves, pair)))  # noqa: B905
            for pair in itertools.pairwise(part(state) for state in states[2:])
        ]
        assert steps[0] > 1e-5
        assert steps[1] == 0


def test_the_policy_alone_warms_up():
    """While beliefs say nothing yet; in the first step its rate is 0. With `--warm-up` both rise,
    and the two are not given together."""
    one = "--epochs 1 --minibatches 1 --model-minibatches 1"
    for own, moves in (("0.7", True), ("0 --warm-up 2", False)):
        typed_in = f"{FEW} {one} --policy-warm-up {own}"
        found = algorithm(typed("varibad-gridnavi", typed_in))
        before = found.init()
        after = eqx.filter_jit(update)(found, before, KEY, jnp.zeros(()))[0]
        assert same_bits(before.acting.parameters, after.acting.parameters)
        assert same_bits(before.model, after.model) != moves
    with pytest.raises(qs.BadInput, match=r"--warm-up 2 is for all rates.* 0 for the other"):
        algorithm(typed("varibad-gridnavi", f"{FEW} --warm-up 2"))
    with pytest.raises(qs.BadInput, match=r"policy_warm_up is 1\.5"):
        typed("varibad-gridnavi", f"{FEW} --policy-warm-up 1.5")


def test_a_warm_up_as_long_as_the_training_leaves_a_step_at_the_rate():
    algorithm(typed("varibad-gridnavi", "--steps 1 --policy-warm-up 1.0"))


def test_what_is_predicted():
    for name, wanted in (("rewards", ["reward"]), ("rewards-and-states", ["reward", "state"])):
        recipe = typed("varibad", f"{FEW} --predicts {name} --decoder-width 6", on="navigation")
        decoders = algorithm(recipe).decoders
        assert [one.predicts for one in decoders] == wanted
        assert {one.network.of_task.layers[0].weight.shape for one in decoders} == {(8, 6)}
        firsts = [one.network.of_task.layers[0].weight for one in decoders]
        assert len(firsts) == 1 or float(jnp.abs(firsts[0] - firsts[1]).max()) > 0.01


@pytest.mark.parametrize("memory", ["gru", "lstm", "snail", "transformer", "context"])
def test_every_encoder_believes(memory):
    """Its belief moves from the prior with what it sees, wherever a reader stands before it."""
    recipe = typed("varibad-gridnavi", f"--memory {memory} --width 8 --reader 3 --latent 2")
    policy = recipe.learner()
    xs = jnp.zeros((3, recipe.problem.trial("test").inputs)).at[0, -1].set(1.0)
    q = eqx.filter_jit(lambda xs: policy.memory.posteriors(xs))(xs.at[:, :3].set(jnp.eye(3)))
    assert policy.memory.features == 25 + 4
    assert (q.mean[0] == 0).all()
    assert (q.mean[1] != 0).any()


def test_fewer_steps_than_beliefs_to_decode():
    """All of them are."""
    recipe = typed("varibad", f"{FEW} --trial-episodes 2 --posteriors 50", on="bandit")
    found = algorithm(recipe)
    assert found.rl2.trial.steps == 2
    shapes = eqx.filter_eval_shape(update, found, found.init(), KEY, jnp.zeros(()))
    assert {"elbo", "belief_kl", "reward_error"} < shapes[1].keys()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("--memory table", "a row for every action"),
        ("--latent 0", "latent is 0"),
        ("--decoder-width 0", "decoder_width is 0"),
        ("--model-epochs 0", "model_epochs is 0"),
    ],
)
def test_what_cannot_be(settings, message):
    with pytest.raises(qs.BadInput, match=message):
        typed("varibad-gridnavi", settings)
