"""What compiled environments return: Python's numbers are taken, other forms are refused by name,
while a program is traced."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.envs.compiled_door import begun, stepped
from quickstudy.rl.rollout import rollout

KEY = jax.random.key(0)


class Lever(qs.Environment):
    """Pays 1 for action 1; what reset and step return is given."""

    horizon: int = 2
    begins: object = (0, 1.0)
    returns: object = None
    actions = qs.Discrete(2)
    observation_shape = ()

    def sample(self, key):
        return jax.random.uniform(key)

    def reset(self, key, task):
        return self.begins

    def step(self, key, state, action, task):
        if isinstance(self.returns, tuple):
            return self.returns
        found = {"state": 1, "observation": 2.0, "reward": 3, "done": False}
        return qs.Step(**found | (self.returns or {}))


def steps(lever):
    trial = qs.Trial(lever, episodes=2)
    return jax.jit(lambda: rollout(qs.Random(lever), trial, jnp.zeros(()), KEY))()


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"horizon": 0}, "Lever.horizon is 0; give a whole number"),
        ({"horizon": 2.0}, "Lever.horizon is 2.0; give a whole number"),
        ({"actions": 2}, r"Lever.actions is 2, a builtins.int; give quickstudy.Discrete\(n\)"),
        ({"actions": qs.Discrete(2**40)}, "Lever.actions is Discrete.* choices or numbers; give 1"),
        ({"actions": qs.Continuous(0)}, "Lever.actions is Continuous.*of 0 choices or numbers"),
        ({"actions": qs.Continuous(1, 1e300)}, "above 0, of at most 1.8e\\+19, or 1 and scale"),
        ({"actions": qs.Continuous(1, -2)}, "limit=-2.*give a limit above 0"),
        ({"actions": qs.Continuous(1, 0)}, "limit=0.*give a limit above 0"),
        ({"actions": qs.Continuous(1, "1")}, "limit='1'.*give a limit above 0"),
        ({"actions": qs.Continuous((2,))}, r"size=\(2,\).*give whole numbers: Discrete\(n\)"),
        ({"actions": qs.MultiDiscrete(3)}, "choices=3.*give whole numbers"),
        ({"actions": qs.MultiDiscrete((3, 0))}, "nothing to choose in one place; give 1 or more"),
        ({"pictures": (qs.Picture(0, (1, 1, 1)),)}, None),
        ({"pictures": (qs.Picture(1, (1, 1, 1)),)}, r"Lever.pictures has Picture.*are \(\); give"),
        ({"pictures": ((0, (1, 1, 1)),)}, "Lever.pictures has .* within an observation"),
        ({"observation_shape": 3}, "Lever.observation_shape is 3; give a tuple"),
        ({"observation_shape": (2.0,)}, r"Lever.observation_shape is \(2.0,\); give a tuple"),
    ],
    ids=str,
)
def test_what_a_family_declares_is_of_the_right_kind(declared, said):
    changed = type("Lever", (Lever,), {k: v for k, v in declared.items() if k != "horizon"})
    lever = changed(horizon=declared.get("horizon", 2))
    with pytest.raises(qs.BadInput, match=said) if said else contextlib.nullcontext():
        begun(lever, KEY, 0.0)


def test_numbers_of_python_are_arrays():
    path = steps(Lever())
    assert path.reward.tolist() == [3.0] * 4
    assert path.reward.dtype == jnp.float32
    assert path.done.tolist() == [False, True] * 2
    assert path.seen.observation.tolist() == [1.0, 2.0] * 2
    assert begun(Lever(begins=(0, 1)), KEY, 0.0)[1].dtype == jnp.float32


@pytest.mark.parametrize(
    "given",
    [{"reward": jnp.array([3])}, {"reward": np.float64(3)}, {"done": 0}, {"done": jnp.zeros(1)}],
    ids=str,
)
def test_one_element_is_a_number(given):
    path = steps(Lever(returns=given))
    assert path.reward.tolist() == [3.0] * 4
    assert path.done.dtype == bool
    assert path.done.tolist() == [False, True] * 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reward": jnp.zeros(2)}, r"Lever: reward has the shape \(2,\); return one number"),
        ({"reward": None}, "Lever: reward is None"),
        ({"reward": 1j}, "Lever: reward is complex; return real numbers"),
        ({"done": jnp.zeros(2)}, r"Lever: done has the shape \(2,\)"),
        (
            {"observation": jnp.zeros(1)},
            r"the observation of step has the shape \(1,\), and obs.* \(\)",
        ),
        ({"observation": "left"}, "the observation of step is 'left'"),
        ({"state": 0.5}, r"is float32\[\] after step, where it was int32\[\]; let reset begin"),
        ({"state": jnp.zeros(2, int)}, r"is int32\[2\] after step"),
        ({"state": {"at": 1}}, "return the same structure"),
        ((1, 2.0, 3), r"Lever.step returned \(1, 2.0, 3\); return quickstudy.Step"),
    ],
)
def test_other_forms_are_refused(given, said):
    with pytest.raises(qs.BadInput, match=said):
        steps(Lever(returns=given))


def test_what_reset_must_return():
    for bad, said in (
        (0, r"Lever.reset returned 0; return \(state, observation\)"),
        ((0, jnp.zeros(3)), r"the observation of reset has the shape \(3,\)"),
    ):
        with pytest.raises(qs.BadInput, match=said):
            steps(Lever(begins=bad))


def test_states_keep_the_type_that_they_begin_with():
    lever = Lever(begins=({"at": 0.0}, 1.0), returns={"state": {"at": 1}})
    state, _ = begun(lever, KEY, 0.0)
    action, key = jnp.array(0), jax.random.key(1)
    assert stepped(lever, KEY, state, action, 0.0).state["at"].dtype == jnp.float32
    state, _ = begun(Lever(begins=(key, 1.0)), KEY, 0.0)
    assert stepped(Lever(returns={"state": key}), KEY, state, action, 0.0).state == key
