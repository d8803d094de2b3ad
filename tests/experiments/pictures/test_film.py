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
    with pytest.raises(qs.BadInput, match="could not be drawn: it has no method render"):
        film(qs.Random(trial.environment), trial, jax.random.key(0), 0)


class OneArray(Seen):
    """Draws each frame into the same array."""

    frame = None

    def render(self):
        if self.frame is None:
            self.frame = np.zeros((40, 480, 3), np.uint8)
        self.frame[:] = 50 * self.times
        return self.frame


def test_frames_of_one_array_are_kept_apart():
    trial = trial_of(OneArray)
    frames, _ = film(qs.Random(trial.environment), trial, jax.random.key(0), 5)
    assert [[frame[0, 0, 0] for frame in one] for one in frames] == [[0, 50, 100]] * 3


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.zeros((4, 4, 3)), r"returned float64 of shape \(4, 4, 3\); return uint8"),
        (np.zeros((4, 4, 3), np.int64), "returned int64 of shape"),
        (np.zeros((4, 4, 1), np.uint8), r"returned uint8 of shape \(4, 4, 1\); return"),
        (np.zeros((4, 4), np.uint8), r"returned uint8 of shape \(4, 4\); return"),
        (np.zeros((0, 4, 3), np.uint8), r"a frame has the shape \(0, 4, 3\)"),
        ([np.zeros((4, 4, 3))], "returned list; make it with render_mode"),
        (None, "returned NoneType; make it with render_mode"),
    ],
)
def test_what_is_no_picture_is_told(frame, said):
    trial = trial_of(type("Odd", (Seen,), {"render": lambda self: frame}))
    with pytest.raises(qs.BadInput, match=said):
        film(qs.Random(trial.environment), trial, jax.random.key(0), 0)


@pytest.mark.parametrize("shape", [(1, 1000, 3), (40, 30, 4)])
def test_a_flat_frame_and_a_transparent_one_are_shown(shape, tmp_path):
    class Flat(Seen):
        def render(self):
            return np.full(shape, 50 * self.times, np.uint8)

    trial = trial_of(Flat)
    filmed = film(qs.Random(trial.environment), trial, jax.random.key(0), 0)
    with Image.open(show_film(filmed, tmp_path / "flat")) as image:
        assert image.n_frames == 3
