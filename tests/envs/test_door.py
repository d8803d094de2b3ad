"""What environments return: taken where it can be read in one way, else refused by name."""

import numpy as np
import pytest

from quickstudy import BadInput, QuickstudyError
from quickstudy.envs.door import (
    demand_same_spaces,
    demand_shape,
    first_seen,
    made_by,
    outcome,
)

gymnasium = pytest.importorskip("gymnasium")
spaces = gymnasium.spaces
BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
SEEN = np.zeros(2, np.float32)


def fail():
    raise RuntimeError("no licence")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (fail, "make failed with RuntimeError: no licence"),
        (lambda: gymnasium.make("None-v7"), "make failed with .*NotFound.*None"),
        (lambda: None, "make returned None; let it return one gymnasium.Env"),
        (lambda: gymnasium.Env, r"Env\(\), not Env"),
        (gymnasium.Env, "observation_space is None"),
        (lambda: type("Old", (), {"step": 0})(), "shimmy"),
    ],
)
def test_what_is_no_environment_is_refused(make, said):
    with pytest.raises(QuickstudyError, match=said):
        made_by(make)


def test_a_simulator_that_opens_only_so_often_is_told_how():
    with pytest.raises(QuickstudyError, match=r"^RuntimeError: no licence.*give --copies 2, in P"):
        made_by(fail, beside=2)


def test_other_spaces_are_refused():
    pole = gymnasium.make("CartPole-v1")
    demand_same_spaces(pole, pole.observation_space, pole.action_space)
    with pytest.raises(BadInput, match=r"action_space is Discrete\(2\), and .* Discrete\(3\)"):
        demand_same_spaces(pole, pole.observation_space, spaces.Discrete(3))
    pole.close()


@pytest.mark.parametrize(
    "one",
    [lambda x: x, np.float64, np.float32, np.longdouble, lambda x: np.array([[x]]), np.array],
)
def test_rewards_and_flags_of_one_element_are_numbers(one):
    seen, *rest = outcome((SEEN, one(2), one(1), one(0), {}), BOX)
    assert seen is SEEN
    assert rest == [2.0, True, False]
    assert [type(x) for x in rest] == [float, bool, bool]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        np.nan,
        np.inf,
        -np.inf,
        1e13,  # finite, but sums of squares of a batch are not
        1e25,
        1e39,
        np.ma.masked,
        np.ma.array([1.0], mask=[True]),
        "much",
        "1.0",
        b"1",
        1j,
        10**400,
        [1.0, 2.0],
        np.zeros(0),
        np.array([None]),
    ],
)
def test_rewards_that_are_no_finite_number_are_refused(bad):
    with pytest.raises(BadInput, match=r"the reward is .*; return one finite number"):
        outcome((SEEN, bad, False, False, {}), BOX)


@pytest.mark.parametrize("bad", [None, "no", 2, 0.5, np.nan, np.array([True, False])])
def test_flags_that_are_neither_true_nor_false_are_refused(bad):
    with pytest.raises(BadInput, match=r"terminated is .*; return True or False"):
        outcome((SEEN, 0.0, bad, False, {}), BOX)
    with pytest.raises(BadInput, match=r"truncated is .*; return True or False"):
        outcome((SEEN, 0.0, True, bad, {}), BOX)


def test_what_step_and_reset_must_return():
    with pytest.raises(BadInput, match="Four values are those of Gym"):
        outcome((SEEN, 0.0, False, {}), BOX)
    with pytest.raises(BadInput, match="step returned None"):
        outcome(None, BOX)
    # Two numbers are no pair of observation and info, whatever they are in.
    for bad in (None, SEEN, (0.0, 0.0), [SEEN, {}], (SEEN,)):
        with pytest.raises(BadInput, match="reset returned"):
            first_seen(bad, BOX)
    assert first_seen((SEEN, {}), BOX) is first_seen((SEEN, None), BOX) is SEEN


@pytest.mark.parametrize("bad", [None, 0.0, [0.0], "left", np.zeros(3), np.zeros((2, 1))])
def test_observations_of_another_shape_are_refused(bad):
    with pytest.raises(BadInput, match=r"has the shape \(2,\)"):
        outcome((bad, 0.0, False, False, {}), BOX)
    with pytest.raises(BadInput, match=r"has the shape \(2,\)"):
        first_seen((bad, {}), BOX)
    first_seen(([0.0, 1.0], {}), BOX)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros(2, complex), "give real numbers"),
        (["a", "b"], "give real numbers"),
        ([[0.0], [0.0, 1.0]], "which is no array"),
        ((), r"of shape \(0,\)"),
        (np.ma.array([0.0, 1.0], mask=[True, False]), "masked in part; fill it with numbers"),
        ((SEEN, {}), r"looks like \(observation, info\) .* give the observation alone"),
    ],
)
def test_observations_that_are_no_numbers(bad, said):
    with pytest.raises(BadInput, match=said):
        demand_shape(bad, BOX)


def test_pictures_are_bytes_or_whole_numbers_like_them():
    """A picture of floats in [0, 1] would be read as black."""
    space = gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8)
    for good in (np.full((8, 8, 3), 200, kind) for kind in (np.uint8, np.int64, np.float32)):
        demand_shape(good, space)
    for bad, said in (
        (np.full((8, 8, 3), 0.9, np.float32), "float32 from 0.9 to 0.9"),
        (np.full((8, 8, 3), -1000), "int64 from -1000 to -1000"),
        (np.full((8, 8, 3), 1000, np.uint16), "uint16 from 1000 to 1000"),
    ):
        with pytest.raises(BadInput, match=rf"{said}.*whole numbers from 0 to 255, as uint8"):
            demand_shape(bad, space)
    demand_shape(np.full((8, 8, 3), np.nan), space)  # `demand_finite` names these


def test_observations_with_parts_have_these_parts():
    space = spaces.Dict({"arm": BOX, "eyes": spaces.Tuple((BOX, spaces.Discrete(2)))})
    first_seen(({"arm": SEEN, "eyes": (SEEN, 1)}, {}), space)
    with pytest.raises(BadInput, match=r"observation\['eyes'\]\[0\] is .*has the shape \(2,\)"):
        first_seen(({"arm": SEEN, "eyes": (np.zeros(3), 1)}, {}), space)
    for bad in (None, SEEN, {"arm": SEEN}, {"arm": SEEN, "eyes": (SEEN,), "ears": 0}):
        with pytest.raises(BadInput, match=r"has the parts \['arm', 'eyes'\]"):
            first_seen((bad, {}), space)
