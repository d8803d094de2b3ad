"""A trial on the host as a film."""

import jax
import numpy as np
import pytest
from PIL import Image

import quickstudy as qs
from quickstudy.envs.host import HostEnvironment
from quickstudy.envs.host_family import HostFamily
from quickstudy.experiments.pictures.film import film, show_film

pytest.importorskip("gymnasium")
from references import pulls


class Seen(pulls.Pulls):
    """Three pulls are an episode; each picture is brighter than the one before."""

    times = 0

    def step(self, action):
        self.times += 1
        observation, paid, *_ = super().step(action)
        return observation, paid, False, False, {}

    def reset(self, **given):
        self.times = 0
        return super().reset(**given)

    def render(self):
        return np.full((40, 480, 3), 50 * self.times, np.uint8)


def trial_of(kind, modes=None):
    """A trial in environments that note how they are to render."""
    modes = [] if modes is None else modes

    def make(render_mode=None):
        modes.append(render_mode)
        return kind()

    host = HostEnvironment(make, pulls.sample_task, pulls.set_task, copies=2, horizon=3)
    return qs.Trial(HostFamily(host), episodes=3)


def test_every_step_has_its_picture(tmp_path):
    modes = []
    trial = trial_of(Seen, modes)
    policy = qs.Random(trial.environment)
    frames, rewards = film(policy, trial, jax.random.key(0), 5)
    assert sorted(modes, key=str) == [None, "rgb_array"], "for its spaces, and for the film"
    assert [[frame[0, 0, 0] for frame in one] for one in frames] == [[0, 50, 100]] * 3
    paths = qs.host_rollouts(policy, trial, jax.random.key(0), 6)
    np.testing.assert_array_equal(np.concatenate(rewards), paths.reward[5])
    file = show_film((frames, rewards), tmp_path / "played")
    with Image.open(file) as image:
        assert (file.suffix, image.n_frames) == (".gif", 3)
        assert image.size[0] > 2 * 240, "the first and the last episode"
    widths = {}
    for stage, stages in (("episode", 4), ("update", 4), ("update", 2)):
        filmed = [frames[0]] * stages, [rewards[0]] * stages
        with Image.open(show_film(filmed, tmp_path / "played", stage)) as image:
            widths[stage, stages] = image.size[0]
    assert widths["update", 2] == widths["episode", 4], "before, and after one update"
    assert widths["update", 4] > widths["episode", 4] + 240, "and after the last one"


def test_no_picture():
    trial = trial_of(pulls.Pulls)
    with pytest.raises(qs.BadInput, match="could not be drawn: it has no camera"):
        film(qs.Random(trial.environment), trial, jax.random.key(0), 0)
