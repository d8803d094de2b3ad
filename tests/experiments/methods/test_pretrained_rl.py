"""The baseline of policies: no updates in training, and those of MAML in tests."""

from quickstudy.experiments.methods.maml_rl import MAMLPolicyConfig
from quickstudy.experiments.methods.pretrained_rl import PretrainedPolicyConfig
from references.recipes import algorithm, typed


def test_it_trains_without_updates_and_is_tested_with_them():
    recipe = typed("pretrained-navigation", "--width 4 --trajectories 3")
    trained = algorithm(recipe)
    assert (trained.steps, trained.scored) == (0, 1)
    assert recipe.method.stages(recipe.problem) == PretrainedPolicyConfig().updates + 1 == 4
    assert recipe.method.updates == MAMLPolicyConfig().updates
