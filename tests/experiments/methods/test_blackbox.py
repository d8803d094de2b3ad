"""Black-box learners as settings: memories of the size asked for, and labels as they are read."""

import equinox as eqx
import pytest

import quickstudy as qs
from quickstudy.experiments.methods import blackbox as module
from quickstudy.experiments.methods.blackbox import BlackBoxConfig
from quickstudy.learners.blackbox import BlackBox, Paired, SequenceBlackBox, Shifted
from references.small_problems import POINTS, built

MEMORIES = {
    module.SupportLSTMConfig: qs.LSTM,
    module.SupportGRUConfig: qs.GRU,
    module.SupportSNAILConfig: qs.SNAIL,
    module.SupportTransformerConfig: qs.Transformer,
    module.SupportMeanConfig: qs.MeanMemory,
    module.SupportClassMeanConfig: qs.ClassMeanMemory,
    module.SupportAttentionConfig: qs.AttentiveMemory,
}


def test_every_choice_is_here():
    assert set(MEMORIES) == set(module.SupportMemoryConfig.choices().values())


@pytest.mark.parametrize("config", MEMORIES)
def test_a_memory_is_of_the_size_that_is_asked_for(config):
    past = {"past": 9} if hasattr(config, "past") else {}
    memory = config(memory_size=8, **past)
    # Shapes only: drawing SNAIL's weights one by one takes seconds.
    learner = eqx.filter_eval_shape(lambda: built(BlackBoxConfig, POINTS, memory=memory))
    assert type(learner.memory) is MEMORIES[config]
    assert learner.head.weight.shape == (learner.memory.features, 3)
    if config is not module.SupportSNAILConfig:  # whose layers each add features
        assert learner.memory.features == 8
    if past:
        assert learner.memory.reach == 9


def test_labels_are_read_beside_their_inputs_or_a_step_later():
    memory = module.SupportMeanConfig(memory_size=8)
    paired = built(BlackBoxConfig, POINTS, memory=memory)
    shifted = built(BlackBoxConfig, POINTS, memory=memory, labels="shifted")
    assert (type(paired), type(paired.layout)) == (BlackBox, Paired)
    assert (type(shifted), type(shifted.layout)) == (SequenceBlackBox, Shifted)


def test_a_mean_for_each_class_needs_classes():
    method = BlackBoxConfig(memory=module.SupportClassMeanConfig())
    method.check(POINTS)
    with pytest.raises(qs.BadInput, match=r"sinusoid is regression; give --memory mean"):
        method.check(qs.find_problem("sinusoid"))
