"""What is shown of a learner depends on its tasks."""

import jax
import numpy as np

from quickstudy.experiments.pictures.seen import seen
from quickstudy.learners.losses import squared_error
from quickstudy.learners.prototypical import Prototypical
from quickstudy.tasks.episodes import Episodes
from quickstudy.tasks.sinusoid import Sinusoid
from quickstudy.tasks.varying import Varying
from references.reading_classes import Reads, marked

KEY = jax.random.key(0)


def shown(learner, tasks):
    return [section.title for section in seen(learner, tasks, KEY, episodes=2)]


def test_a_curve_or_images():
    tasks = Episodes(marked(4), ways=2, shots=2, queries=1)
    task, confused = "One task", "Classes taken for each other"
    assert shown(Reads(), tasks) == [task, confused]
    assert shown(Reads(), Varying(tasks, 2, 1)) == [task]
    assert shown(Reads(loss=squared_error), Sinusoid()) == [task]
    features = Episodes(np.zeros((4, 3, 7), np.float32), ways=2, shots=1, queries=1)
    assert shown(Reads(), features) in ([], [confused])


def test_wrong_answers_are_told():
    tasks = Episodes(marked(4), ways=2, shots=1, queries=1)
    note, found = seen(Reads(), tasks, KEY, episodes=20)[1].blocks
    assert note.text.startswith("20 of 40 queries in 20 test tasks were wrong. These pairs")
    assert len(found.pairs) == 6
    # All images of a class are alike, so that the nearest prototype is always right.
    nearest = Prototypical(lambda x: x.reshape(len(x), -1))
    (note,) = seen(nearest, tasks, KEY, episodes=20)[1].blocks
    assert note.text == "None: 0 of 40 queries in 20 test tasks were wrong."
