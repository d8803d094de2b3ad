"""Trials to be looked at: what is drawn is what happened."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy.envs.bandit import Arms
from quickstudy.envs.gridnavi import RIGHT, UP, GridNavi, Hidden
from quickstudy.envs.navigation import SparseNavigation
from quickstudy.experiments.pictures.watch import (
    ENLARGED,
    Episode,
    animation,
    paths,
    pulls,
    pulls_by_update,
    show,
    stage_names,
    watch,
)
from references.corridor import Corridor

KEY = jax.random.key(0)


class Script:
    """Up, and then right; the state counts the steps."""

    def begin(self, task):
        return jnp.array(0)

    def act(self, state, seen, *, key):
        return state + 1, jnp.where(state % 15 < 2, UP, RIGHT), None


def test_a_grid_is_shown_as_it_was():
    grid, task = GridNavi(), Hidden(jnp.array([2, 2]))
    episodes = watch(Script(), qs.Trial(grid, 2), task, KEY)
    assert [len(e.rewards) for e in episodes] == [15, 15]
    assert [len(e.states) for e in episodes] == [16, 16]
    assert [np.asarray(s).tolist() for s in episodes[0].states[:4]] == [
        [0, 0],
        [0, 1],
        [0, 2],
        [1, 2],
    ]
    np.testing.assert_allclose(episodes[1].rewards[:5], [-0.1, -0.1, -0.1, 1.0, -0.1])
    images = animation(grid, task, episodes, ["first", "second"])
    assert len(images) == 16
    assert np.any(np.asarray(images[0]) != np.asarray(images[3]))


class Telling(qs.TabularMDP):
    """The reward is the state that is reached."""

    def step(self, key, state, action, task):
        found = super().step(key, state, action, task)
        return found._replace(reward=found.state.astype(float))


def test_states_are_those_that_happened():
    """Though steps are drawn."""
    trial = qs.Trial(Telling(), 2)
    for episode in watch(qs.Random(trial.environment), trial, trial.environment.sample(KEY), KEY):
        assert [float(state) for state in episode.states] == [0.0, *episode.rewards]
        assert len(set(episode.rewards)) > 2


@pytest.mark.parametrize("family", [GridNavi(), qs.Maze(), qs.Games()])
def test_a_grid_s_episodes_move_side_by_side(family, tmp_path):
    trial = qs.Trial(family, 2)
    task = family.sample(KEY)
    episodes = watch(qs.Random(family), trial, task, KEY)
    file = show(family, task, episodes, tmp_path / "trial")
    frame = np.asarray(family.frame(episodes[0].states[0], task))
    with Image.open(file) as image:
        assert image.size[0] > 2 * ENLARGED * frame.shape[1]
        assert 1 < image.n_frames <= 1 + max(len(e.rewards) for e in episodes)


def test_paths_in_the_plane():
    trial = qs.Trial(SparseNavigation(), 2)
    task = trial.environment.sample(KEY)
    names = stage_names("update", 2)
    figure = paths(watch(qs.Random(trial.environment), trial, task, KEY), task, names)
    assert len(figure.axes[0].lines) == 4  # two episodes, the goal and the start
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels[0].startswith("before any update: ")
    assert labels[1].startswith("after update 1: ")


def test_a_bandit_s_updates_are_not_held_against_pulls():
    """One pull before any update and one after it: Gittins' two pulls would be of one trial."""
    task = Arms(jnp.array([0.9, 0.1]))
    episodes = [Episode([], [np.array(arm)], [0.0]) for arm in (1, 0)]
    (axes,) = pulls_by_update(episodes, task).axes
    assert axes.collections[0].get_offsets().tolist() == [[0, 0], [1, 1]]
    assert axes.get_xlabel() == "updates"
    assert [axes.get_xlabel() for axes in pulls(episodes, task).axes] == ["pull", "pull"]


def test_no_picture_of_what_nobody_drew(tmp_path):
    trial = qs.Trial(Corridor(), 2)
    with pytest.raises(qs.BadInput, match="no picture of a Corridor"):
        show(trial.environment, jnp.array(2), [], tmp_path / "x")
