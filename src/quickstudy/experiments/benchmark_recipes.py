"""The recipes of learners on miniImageNet and CIFAR-FS, in the settings of their papers.

Figures are accuracies on 5-way 1- and 5-shot tasks with 95 % intervals. No recipe has been trained
here, because the data are not here. A name with a network's behind it is the recipe of a pair with
that network; others have Conv4.
"""

from dataclasses import replace

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.maml import MAMLConfig
from quickstudy.experiments.methods.matching import FullContextConfig, MatchingConfig
from quickstudy.experiments.methods.prototypical import PrototypicalConfig
from quickstudy.experiments.methods.relation import ConvRelationConfig, RelationConfig
from quickstudy.experiments.methods.ridge import RidgeConfig
from quickstudy.experiments.methods.transfer import LinearHeadConfig, TransferConfig
from quickstudy.experiments.networks import Conv4Config, ResNet12Config
from quickstudy.experiments.problems.benchmarks import CIFARFSImages, MiniImageNetImages
from quickstudy.experiments.problems.natural import CropFlipJitterConfig
from quickstudy.experiments.recipe import Card, Recipe

MINI, CIFAR = MiniImageNetImages(), CIFARFSImages()
AUGMENTED_MINI, AUGMENTED_CIFAR = (
    replace(problem, augment=CropFlipJitterConfig()) for problem in (MINI, CIFAR)
)
POOLED, DEEP = Conv4Config(filters=64, downsample="pool"), ResNet12Config()

RAVI = "Ravi and Larochelle, 2017, https://openreview.net/forum?id=rJY0-Kcll"
BERTINETTO = "Bertinetto et al., 2019, https://arxiv.org/abs/1805.08136"
LEE = "Lee et al., 2019, https://arxiv.org/abs/1904.03758"
TIAN = "Tian et al., 2020, https://arxiv.org/abs/2003.11539"

# The authors' α = 0.01 of a loss that is summed over 5 classes is 0.05 here.
MAML = MAMLConfig(
    Conv4Config(filters=32, downsample="pool"), inner_lr=0.05, inner_steps=5, test_inner_steps=10
)
MAML_BUDGET = Budget(steps=60_000, meta_batch=4, validate_every=1000)
# Authors who stop when validation does give no number of steps; this one is ours.
OPEN = Budget(steps=20_000, meta_batch=1, validate_every=1000)
RELATION = RelationConfig(POOLED, head=ConvRelationConfig(), train_ways=5)
RELATION_BUDGET = Budget(steps=500_000, meta_batch=1, validate_every=5000)
# 1,200 epochs of 100 tasks at most, and the ways and first scales of the authors' code. Its shots
# vary from task to task, and its λ starts at 50 in place of 1.
RIDGE_BUDGET = Budget(steps=120_000, meta_batch=1, learning_rate=5e-3, validate_every=1000)
# 90 epochs of 38,400 images. The authors' optimiser is SGD. Its decay of 1e-4, at a rate of 0.1,
# takes as much away in a step as 0.01 does at ours of 0.001; those below are translated alike.
SIMPLE_SHOT = TransferConfig(POOLED, batch=256)
SIMPLE_SHOT_BUDGET = Budget(steps=13_500, meta_batch=1, weight_decay=0.01)
# SGD's decay is 5e-4 at a rate of 0.1. DropBlock and label smoothing are not here.
DEEP_PROTOTYPICAL = PrototypicalConfig(DEEP, train_ways=5)
DEEP_BUDGET = Budget(steps=60_000, meta_batch=8, weight_decay=0.05, validate_every=1000)
# 100 epochs in batches of 64; SGD's decay is 5e-4 at a rate of 0.05.
DEEP_TRANSFER = TransferConfig(DEEP, method=LinearHeadConfig())
DEEP_TRANSFER_BUDGET = Budget(steps=60_000, meta_batch=1, weight_decay=0.025, validate_every=1000)


def _card(reaches: str, source: str = "") -> Card:
    return Card(reaches, "not measured; the data are not here", source)


BENCHMARKS: dict[str, Recipe] = {
    # Inductive by default; --norm batch is the paper's, where predictions see the other queries.
    "maml-mini-imagenet": Recipe(
        MINI, MAML, MAML_BUDGET, _card("48.70 ± 1.84 / 63.11 ± 0.92 % with --norm batch")
    ),
    "maml-cifar-fs": Recipe(
        CIFAR, MAML, MAML_BUDGET, _card("58.9 ± 1.9 / 71.5 ± 1.0 % with --norm batch", BERTINETTO)
    ),
    "prototypical-mini-imagenet": Recipe(
        MINI,
        PrototypicalConfig(POOLED, train_ways=30),
        OPEN,
        _card(
            "49.42 ± 0.78 % (5-way 1-shot); 68.20 ± 0.66 % with --shots 5 --train-ways 20, each "
            "trained for its shots"
        ),
    ),
    "prototypical-cifar-fs": Recipe(
        CIFAR,
        PrototypicalConfig(POOLED),
        OPEN,
        _card("55.5 ± 0.7 / 72.0 ± 0.6 %", BERTINETTO),
    ),
    "matching-mini-imagenet": Recipe(
        MINI,
        MatchingConfig(POOLED, train_ways=5, context=FullContextConfig()),
        OPEN,
        _card("43.56 ± 0.84 / 55.31 ± 0.73 % with full context embeddings", RAVI),
    ),
    "relation-mini-imagenet": Recipe(
        MINI,
        RELATION,
        RELATION_BUDGET,
        _card("50.44 ± 0.82 / 65.32 ± 0.70 %, each trained for its shape"),
    ),
    "relation-cifar-fs": Recipe(
        CIFAR,
        RELATION,
        RELATION_BUDGET,
        _card("55.0 ± 1.0 / 69.3 ± 0.8 %, by 64 to 256 filters", BERTINETTO),
    ),
    "ridge-mini-imagenet": Recipe(
        MINI,
        RidgeConfig(POOLED, train_ways=16, output_scale=1e-4),
        RIDGE_BUDGET,
        _card("51.2 ± 0.6 / 68.8 ± 0.1 % by 96 to 512 filters, as Lee et al. (2019) quote it"),
    ),
    "ridge-cifar-fs": Recipe(
        CIFAR,
        RidgeConfig(POOLED, train_ways=20, output_scale=10.0),
        RIDGE_BUDGET,
        _card("65.3 ± 0.2 / 79.4 ± 0.1 % by 96 to 512 filters"),
    ),
    "transfer-mini-imagenet": Recipe(
        AUGMENTED_MINI,
        SIMPLE_SHOT,
        SIMPLE_SHOT_BUDGET,
        _card("49.69 ± 0.19 / 66.92 ± 0.17 % (SimpleShot, CL2N)"),
    ),
    "transfer-cifar-fs": Recipe(
        AUGMENTED_CIFAR,
        SIMPLE_SHOT,
        SIMPLE_SHOT_BUDGET,
        _card(
            "no published figure of nearest centroids; logistic regression on such features has "
            "62.7 ± 0.8 / 78.7 ± 0.5 %",
            TIAN,
        ),
    ),
    "prototypical-mini-imagenet-resnet12": Recipe(
        AUGMENTED_MINI,
        DEEP_PROTOTYPICAL,
        DEEP_BUDGET,
        _card("59.25 ± 0.64 / 75.60 ± 0.48 %, each trained for its shots", LEE),
    ),
    "prototypical-cifar-fs-resnet12": Recipe(
        AUGMENTED_CIFAR,
        DEEP_PROTOTYPICAL,
        DEEP_BUDGET,
        _card("72.2 ± 0.7 / 83.5 ± 0.5 %, each trained for its shots", LEE),
    ),
    "transfer-mini-imagenet-resnet12": Recipe(
        AUGMENTED_MINI,
        DEEP_TRANSFER,
        DEEP_TRANSFER_BUDGET,
        _card("62.02 ± 0.63 / 79.64 ± 0.44 % by logistic regression in a task", TIAN),
    ),
    "transfer-cifar-fs-resnet12": Recipe(
        AUGMENTED_CIFAR,
        DEEP_TRANSFER,
        DEEP_TRANSFER_BUDGET,
        _card("71.5 ± 0.8 / 86.0 ± 0.5 % by logistic regression in a task", TIAN),
    ),
}
"""By name: `METHOD-PROBLEM`, or `METHOD-PROBLEM-NETWORK`."""
