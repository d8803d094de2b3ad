"""CIFAR-FS and miniImageNet as problems: where their files are looked for."""

from pathlib import Path

import pytest

from quickstudy import tasks
from quickstudy.errors import DataError
from quickstudy.experiments.networks import Conv4Config
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems.benchmarks import CIFARFSImages, MiniImageNetImages

KINDS = {CIFARFSImages: ("cifar_fs", 32), MiniImageNetImages: ("mini_imagenet", 84)}


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_as_published(kind):
    problem = kind()
    assert problem.inputs == (KINDS[kind][1],) * 2 + (3,)
    assert problem.training_classes == 64
    assert problem.queries == 15
    assert problem.network == Conv4Config(filters=64, downsample="pool")
    assert problem.data() == f"{problem.name}, 5-way 1-shot"


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_the_problem_s_name_is_looked_into(kind, tmp_path, monkeypatch):
    monkeypatch.delenv("QUICKSTUDY_DATA", raising=False)
    problem = kind()
    with pytest.raises(DataError, match=f"{problem.name} is not downloaded.* --data DIR"):
        problem.folder(Source())
    assert problem.folder(Source(str(tmp_path))) == tmp_path
    (tmp_path / problem.name).mkdir()
    assert problem.folder(Source(str(tmp_path))) == tmp_path / problem.name
    monkeypatch.setenv("QUICKSTUDY_DATA", str(tmp_path))
    assert problem.folder(Source()) == tmp_path / problem.name
    assert problem.folder(Source(str(tmp_path / "given"))) == tmp_path / "given"


@pytest.mark.parametrize("kind", KINDS)
def test_their_readers_are_asked_for_this_shape(kind, monkeypatch):
    name, asked = KINDS[kind][0], []
    module = __import__(f"{tasks.__name__}.{name}", fromlist=[name])
    monkeypatch.setattr(module, name, lambda *given, **shape: asked.append((given, shape)))
    kind(ways=7, shots=3, queries=2).tasks("validation", Source("/data"))
    assert asked == [((Path("/data"), "validation"), {"ways": 7, "shots": 3, "queries": 2})]
