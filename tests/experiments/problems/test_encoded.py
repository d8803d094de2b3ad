"""Images that a pretrained network reads: trained, tested, opened and fitted as any others."""

import jax
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.experiments.networks import EfficientNetLite0Config
from quickstudy.experiments.problem import Source
from quickstudy.experiments.problems import find_problem
from quickstudy.experiments.problems.encoded import EncodedImages, as_encoded
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.saved import learner_of
from references.encoders import stand_in
from references.own_code import folder_of_classes
from references.refusing import stopped

NETWORK = EfficientNetLite0Config(width=4)


@pytest.fixture(autouse=True)
def encoder(monkeypatch, tmp_path):
    monkeypatch.setenv("QUICKSTUDY_CACHE", str(tmp_path / "cache"))
    return stand_in(monkeypatch)


@pytest.fixture
def photos(tmp_path):
    return folder_of_classes(tmp_path / "birds", classes=9, colour=True)


@pytest.fixture
def run(photos, tmp_path):
    folder = tmp_path / "run"
    small = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --width 4"
    asked = f"train prototypical --on {photos} --network efficientnet-lite0 --ways 3 {small}"
    main([*asked.split(), "--no-test", "--run", str(folder)])
    return folder


def test_a_folder_is_read_as_large_as_the_network_wants_it(photos):
    problem = find_problem(str(photos)).changed({"ways": 3}).prepared(Source())
    assert problem.inputs == (84, 84, 3)
    seen = as_encoded(problem, NETWORK)
    assert isinstance(seen, EncodedImages)
    assert (seen.of.inputs, seen.inputs, seen.data()) == ((224, 224, 3), (1280,), problem.data())
    smaller = find_problem(str(photos))
    smaller = type(smaller)(path=str(photos), size=12, ways=3).prepared(Source())
    assert as_encoded(smaller, NETWORK).of.inputs == (12, 12, 3)


def inputs_of(problem):
    return problem.tasks("test", Source()).sample(jax.random.key(0)).support.x.shape


def test_tasks_are_of_features(photos):
    problem = find_problem(str(photos)).changed({"ways": 3}).prepared(Source())
    seen = as_encoded(problem, NETWORK)
    assert inputs_of(seen) == (3, 1280)
    assert inputs_of(seen.changed({"shots": 2})) == (6, 1280)
    assert seen.at_test == problem.at_test


def test_there_must_be_images():
    with pytest.raises(qs.BadInput, match="efficientnet-lite0 is pretrained on images, and sin"):
        as_encoded(SinusoidCurves(), NETWORK)


def test_a_run_is_evaluated_opened_and_fitted(run, photos, tmp_path, capsys):
    main(["evaluate", str(run), "--episodes", "3", "--no-curves"])
    assert "birds (3 test classes), 3-way" in " ".join(capsys.readouterr().out.split())
    assert list(run.glob("evaluation-test*.json"))
    trained = learner_of(run)
    assert (trained.image, trained.encoder) == (None, "efficientnet-lite0")
    classifier = qs.FewShotClassifier.from_run(run).fit(photos)
    images = np.zeros((2, 9, 11, 3), np.uint8)
    assert classifier.predict_proba(images).shape == (2, 9)


def test_other_images_of_any_size(run, tmp_path, capsys):
    fish = folder_of_classes(tmp_path / "fish", 4, size=(30, 20))
    main(["evaluate", str(run), "--on", str(fish), "--episodes", "3", "--no-curves"])
    assert "fish (4 test classes)" in " ".join(capsys.readouterr().out.split())
    said = stopped(["evaluate", str(run), "--on", "sinusoid"], capsys)
    assert "pretrained on images" in said
