"""MAML and what shares its settings."""

import pytest

import quickstudy as qs
from quickstudy.experiments.methods.maml import FirstOrderMAMLConfig, MAMLConfig, PretrainedConfig
from quickstudy.learners.first_order import FirstOrderMAML
from quickstudy.learners.maml import MAML
from quickstudy.learners.transfer import JointFineTuning
from references.small_problems import POINTS, built

KINDS = {MAMLConfig: MAML, FirstOrderMAMLConfig: FirstOrderMAML, PretrainedConfig: JointFineTuning}


@pytest.mark.parametrize("config", KINDS)
def test_settings_reach_the_learners(config):
    learner = built(config, inner_lr=0.3, inner_steps=4)
    assert type(learner) is KINDS[config]
    assert (learner.inner_lr, learner.steps) == (0.3, 4)


def test_tests_may_take_other_steps_than_training():
    learner = built(MAMLConfig, inner_steps=4)
    assert MAMLConfig(inner_steps=4).for_test(learner).steps == 4
    assert MAMLConfig(inner_steps=4, test_inner_steps=10).for_test(learner).steps == 10
    assert learner.steps == 4
    assert MAMLConfig.at_test == ("test_inner_steps",)


def test_one_function_for_all_tasks_has_no_classes():
    PretrainedConfig().check(qs.find_problem("sinusoid"))
    with pytest.raises(qs.BadInput, match=r"classes of points .* give the method transfer"):
        PretrainedConfig().check(POINTS)
