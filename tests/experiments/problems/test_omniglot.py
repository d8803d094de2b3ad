"""Omniglot as a problem: protocols, and what is asked of the reader."""

import pytest

from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.omniglot import TRAINING_CLASSES, OmniglotImages
from quickstudy.tasks import omniglot as reader
from quickstudy.tasks.omniglot import PROTOCOLS


def test_every_protocol_is_a_setting():
    assert set(TRAINING_CLASSES) == set(PROTOCOLS)
    for protocol, classes in TRAINING_CLASSES.items():
        assert OmniglotImages(protocol=protocol).classes(Source()) == classes


def test_a_result_names_its_protocol():
    problem = OmniglotImages(ways=20)
    assert problem.data() == "omniglot (snell2017), 20-way 1-shot"
    changed = problem.changed({"protocol": "finn2017", "shots": 5})
    assert changed.data() == "omniglot (finn2017), 20-way 5-shot"
    assert (problem.test_episodes, changed.test_episodes) == (1000, 600)


@pytest.mark.parametrize(("queries", "asked"), [(0, None), (9, 9)])
def test_the_protocol_s_queries_unless_others_are_asked_for(queries, asked, monkeypatch):
    seen = []
    monkeypatch.setattr(reader, "omniglot", lambda *given, **shape: seen.append((given, shape)))
    OmniglotImages(queries=queries).tasks("validation", Source("/data"))
    [(given, shape)] = seen
    assert given == ("snell2017", "validation")
    assert (shape["ways"], shape["shots"], shape["queries"]) == (5, 1, asked)
    assert shape["data"] == "/data"


def test_inputs_and_network():
    problem = OmniglotImages()
    assert problem.inputs == (28, 28, 1)
    assert problem.network.filters == 64
