"""--scale: running in Gymnasium families of one's own, fixed elsewhere and in older files."""

import numpy as np
import pytest

import quickstudy as qs
from quickstudy.app.cli import main
from quickstudy.app.pairing import named_recipe, with_arguments
from quickstudy.experiments.methods.rl2 import RL2Config
from quickstudy.experiments.methods.scales import FixedScaleConfig, RunningScaleConfig
from quickstudy.experiments.recipe import from_json
from quickstudy.experiments.recipes import RECIPES
from quickstudy.experiments.saved import load
from quickstudy.rl.scale import Scaled
from references.own_code import forget

FEW = "--steps 2 --meta-batch 2 --validate-every 2 --validation-episodes 2 --no-test"
FAR = '''
from references.levers import HORIZON, FarLever


class Far:
    """Levers whose observations are around 1,000."""

    horizon = HORIZON

    def make(self):
        return FarLever()

    def sample_task(self, rng):
        return rng.uniform(-1, 1)

    def set_task(self, env, task):
        env.hold(task)
'''


@pytest.fixture
def far(tmp_path):
    pytest.importorskip("gymnasium")
    (tmp_path / "far.py").write_text(FAR)
    yield f"{tmp_path / 'far.py'}:Far"
    forget(tmp_path)


def with_flags(method, on, *flags):
    return with_arguments(named_recipe(method, on), [], flags, prog="quickstudy train")[0]


def test_where_none_is_asked_for(far):
    assert with_flags("rl2", far).method.scale == RunningScaleConfig()
    assert with_flags("rl2", far, "--scale", "fixed").method.scale == FixedScaleConfig()
    assert with_flags("rl2", "gridnavi").method.scale == FixedScaleConfig()
    assert with_flags("rl2", "gridnavi", "--scale", "running").method.scale == RunningScaleConfig()
    policies = [r for r in RECIPES.values() if hasattr(r.method, "scale")]
    assert len(policies) > 5
    scales = {r.method.prepared(r.problem).scale for r in policies}
    assert scales == {FixedScaleConfig()}


def test_older_files_have_none():
    written = RECIPES["rl2-gridnavi"].prepared().to_json()
    del written["method"]["scale"]
    assert from_json(written).method.scale == FixedScaleConfig()


def test_a_table_counts():
    with pytest.raises(qs.BadInput, match="give --scale fixed"):
        with_flags("rl2", "bandit", "--memory", "table", "--scale", "running")


def test_a_run_keeps_its_statistics(far, tmp_path):
    """Trained, resumed to the same bits, loaded, and acting."""
    run, small = tmp_path / "run", "--width 4 --minibatches 1 --epochs 1"
    main(f"train rl2 --on {far} {small} {FEW} --run {run}".split())
    learned = load(run, recipe=far)
    assert isinstance(learned, Scaled)
    assert isinstance(RL2Config().learner(qs.find_problem(far), 0), qs.MetaPolicy)
    counted = learned.scale.observations
    assert 0 < counted.count <= 40
    np.testing.assert_allclose(counted.mean, 1000, atol=3)
    assert learned.agent().reset(np.full(1, 1000.0)).shape == (1,)
    main(f"train --resume {run} --recipe {far} --steps 3 --no-test".split())
    assert load(run, recipe=far).scale.observations.count > 0
