"""The recipes of learners: those that read a support set and answer queries."""

from quickstudy.experiments.budget import Budget
from quickstudy.experiments.methods.anil import ANILConfig, BOILConfig
from quickstudy.experiments.methods.blackbox import (
    BlackBoxConfig,
    SupportMeanConfig,
    SupportSNAILConfig,
)
from quickstudy.experiments.methods.cavia import CAVIAConfig
from quickstudy.experiments.methods.imaml import ImplicitMAMLConfig, PullBackFormConfig
from quickstudy.experiments.methods.maml import (
    FirstOrderMAMLConfig,
    MAMLConfig,
    PretrainedConfig,
)
from quickstudy.experiments.methods.maml_plus_plus import MAMLPlusPlusConfig
from quickstudy.experiments.methods.matching import MatchingConfig
from quickstudy.experiments.methods.meta_sgd import MetaSGDConfig
from quickstudy.experiments.methods.prototypical import PrototypicalConfig
from quickstudy.experiments.methods.relation import ConvRelationConfig, RelationConfig
from quickstudy.experiments.methods.reptile import ReptileConfig
from quickstudy.experiments.methods.ridge import RidgeConfig
from quickstudy.experiments.methods.transfer import TransferConfig
from quickstudy.experiments.networks import Conv4Config
from quickstudy.experiments.problems.emoji import EmojiImages
from quickstudy.experiments.problems.glyphs import GlyphImages
from quickstudy.experiments.problems.omniglot import OmniglotImages
from quickstudy.experiments.problems.sinusoid import SinusoidCurves
from quickstudy.experiments.recipe import Card, Recipe

GLYPHS, SNELL, FINN, CURVES = (
    GlyphImages(),
    OmniglotImages(),
    OmniglotImages(protocol="finn2017"),
    SinusoidCurves(),
)
POOLED = Conv4Config(filters=64, downsample="pool")
SHORT = Budget(steps=2000, meta_batch=8)
# A quarter of MAML's 60,000 steps, with which it has its paper's figure: 99.00 % (--norm batch).
LONG = Budget(steps=15_000, meta_batch=32, validate_every=1000)
WAVES = Budget(steps=30_000, meta_batch=25, validate_every=3000)
FOUR = "(5-way 1, 5-shot; 20-way 1, 5-shot)"
NONE = "no published figure"


def _metric(**more: float) -> Budget:
    return Budget(steps=2400, meta_batch=2, validate_every=400, **more)  # type: ignore[arg-type]


LEARNERS: dict[str, Recipe] = {
    "prototypical-glyphs": Recipe(
        GLYPHS,
        PrototypicalConfig(),
        _metric(learning_rate=3e-3),
        Card("96 % on 5-way 1-shot, unseen characters, inductive", "80 s on 2 cores"),
    ),
    # 3,000 tasks of 60 ways reach the paper's figures (98.97, 99.77 and 96.69 %).
    "prototypical-omniglot": Recipe(
        SNELL,
        PrototypicalConfig(POOLED, train_ways=60),
        Budget(steps=3000, meta_batch=1),
        Card(
            "98.8 % (5-way 1-shot), 99.7 % (5-way 5-shot), 96.0 % (20-way 1-shot)",
            "about 30 min on 2 cores",
        ),
    ),
    "prototypical-emoji": Recipe(
        EmojiImages(),
        PrototypicalConfig(),
        Budget(steps=1000, meta_batch=4, validate_every=250),
        Card(NONE, "94 s of processor time"),
    ),
    "matching-glyphs": Recipe(
        GLYPHS, MatchingConfig(), _metric(learning_rate=3e-3), Card(NONE, "90 s on 2 cores")
    ),
    "matching-omniglot": Recipe(
        SNELL,
        MatchingConfig(POOLED),
        Budget(steps=6000, meta_batch=2),
        Card(f"98.1 / 98.9 / 93.8 / 98.5 % {FOUR}", "about 1 h on 2 cores"),
    ),
    "relation-glyphs": Recipe(GLYPHS, RelationConfig(), _metric(), Card(NONE, "90 s on 2 cores")),
    "relation-omniglot": Recipe(
        # The authors' code splits characters at random, and trains on 15 queries of each class. It
        # is transductive, too (--norm batch): their batch norms never leave training mode.
        OmniglotImages(protocol="finn2017", queries=15),
        # As many ways as at test, as in the paper: on 20, the squared error is least at first
        # where every score is 1/20, and after 40 steps it was still there.
        RelationConfig(POOLED, head=ConvRelationConfig(), train_ways=5),
        Budget(steps=6000, meta_batch=8),
        Card(f"99.6 / 99.8 / 97.6 / 99.1 % {FOUR}, each trained for its shape"),
    ),
    "ridge-glyphs": Recipe(
        GLYPHS,
        RidgeConfig(),
        Budget(steps=2400, meta_batch=6, validate_every=400),
        Card(NONE, "90 s on 2 cores"),
    ),
    "ridge-omniglot": Recipe(
        SNELL,
        RidgeConfig(POOLED, train_ways=60),
        Budget(steps=10_000, meta_batch=1),
        Card(f"98.55 / 99.66 / 94.70 / 98.91 % {FOUR}"),
    ),
    "ridge-sinusoid": Recipe(CURVES, RidgeConfig(), WAVES, Card(NONE, "1 min on 2 cores")),
    "maml-glyphs": Recipe(
        GLYPHS,
        MAMLConfig(),
        Budget(steps=3000, meta_batch=16),
        Card(
            "90 % on 5-way 1-shot, unseen characters, inductive",
            "80 s on 2 cores; not reached yet (77.7 %)",
        ),
    ),
    # Inductive by default; --norm batch is the paper's, where predictions see the other queries.
    "maml-omniglot": Recipe(
        FINN,
        MAMLConfig(),
        LONG,
        Card(
            "98.7 / 99.9 % (5-way 1, 5-shot) with --norm batch; 95.8 / 98.9 % (20-way) with "
            "--inner-steps 5, too",
            "about 30 min on 2 cores (5-way 1-shot)",
        ),
    ),
    "maml-sinusoid": Recipe(
        CURVES,
        MAMLConfig(inner_lr=0.01),
        Budget(steps=70_000, meta_batch=25, validate_every=5000),
        Card(
            "squared error 0.67 / 0.38 / 0.35 after 1 / 5 / 10 steps on 5 points",
            "2 min on 2 cores",
        ),
    ),
    "fomaml-glyphs": Recipe(GLYPHS, FirstOrderMAMLConfig(), SHORT, Card(NONE, "2 min on 2 cores")),
    # One inner step at 0.4 came to 66.5 % in minutes, where five at 0.1 came to 86.7.
    "fomaml-omniglot": Recipe(
        FINN,
        FirstOrderMAMLConfig(),
        LONG,
        Card(f"98.3 / 99.2 / 89.4 / 97.9 % {FOUR}", "about 30 min on 2 cores"),
    ),
    "fomaml-sinusoid": Recipe(
        CURVES,
        FirstOrderMAMLConfig(inner_lr=0.01, inner_steps=1),
        WAVES,
        Card(NONE, "1 min on 2 cores"),
    ),
    "anil-glyphs": Recipe(GLYPHS, ANILConfig(inner_steps=5), SHORT, Card(NONE, "2 min on 2 cores")),
    "anil-omniglot": Recipe(
        FINN,
        ANILConfig(inner_steps=5),
        LONG,
        Card(
            "no comparable published figure (20-way 1-shot: 96.2 %, with --ways 20 --inner-lr 2)",
            "about 30 min on 2 cores",
        ),
    ),
    "anil-sinusoid": Recipe(
        CURVES, ANILConfig(inner_lr=0.01, inner_steps=5), WAVES, Card(NONE, "1 min on 2 cores")
    ),
    "boil-glyphs": Recipe(GLYPHS, BOILConfig(), SHORT, Card(NONE, "2 min on 2 cores")),
    "boil-omniglot": Recipe(FINN, BOILConfig(), LONG, Card(NONE, "about 30 min on 2 cores")),
    "cavia-sinusoid": Recipe(CURVES, CAVIAConfig(), WAVES, Card(NONE, "1 min on 2 cores")),
    "meta-sgd-glyphs": Recipe(GLYPHS, MetaSGDConfig(), SHORT, Card(NONE, "3 min on 2 cores")),
    "meta-sgd-omniglot": Recipe(
        FINN,
        MetaSGDConfig(),
        LONG,
        Card(f"99.53 / 99.93 / 95.93 / 98.97 % {FOUR}", "about 40 min on 2 cores"),
    ),
    "meta-sgd-sinusoid": Recipe(
        CURVES,
        MetaSGDConfig(inner_lr=0.01),
        WAVES,
        Card("squared error 0.90 after 1 step on 5 points (trained on 5)", "1 min on 2 cores"),
    ),
    "maml++-glyphs": Recipe(
        GLYPHS,
        MAMLPlusPlusConfig(inner_steps=3),
        Budget(steps=1500, meta_batch=8),
        Card(NONE, "6 min on 2 cores"),
    ),
    "maml++-omniglot": Recipe(
        FINN,
        # The authors' settings (experiment_config/omniglot_maml++-...json): max-pooling, batch
        # statistics, second derivatives from the start; theirs are 50,000 steps of 8 tasks.
        MAMLPlusPlusConfig(Conv4Config(64, norm="batch", downsample="pool"), first_order=0.0),
        LONG,
        Card(
            f"99.47 / 99.93 / 97.65 / 99.33 % {FOUR}, each of five checkpoints that answer "
            "together; ours is one"
        ),
    ),
    # A squared error has no bound, and five steps of descent at a rate of 0.01 make it infinite
    # for one in sixty tasks at the first weights. Hence fewer and shorter steps, whose rates are
    # learned slowly (with β itself they double in three steps), and second derivatives from the
    # start: without them nothing tells the meta-gradient that a rate is about to become too large.
    "maml++-sinusoid": Recipe(
        CURVES,
        MAMLPlusPlusConfig(
            inner_lr=0.003, inner_steps=3, first_order=0.0, rates_learning_rate=1e-5
        ),
        WAVES,
        Card(NONE, "4 min on 2 cores"),
    ),
    "imaml-glyphs": Recipe(
        GLYPHS,
        ImplicitMAMLConfig(),
        Budget(steps=1500, meta_batch=8),
        Card(NONE, "6 min on 2 cores"),
    ),
    "imaml-omniglot": Recipe(
        FINN,
        ImplicitMAMLConfig(inner_steps=16, form=PullBackFormConfig()),
        LONG,
        Card(f"99.16 / 99.67 / 94.46 / 98.69 % {FOUR}", "about 3 h on 2 cores"),
    ),
    "reptile-glyphs": Recipe(
        GLYPHS,
        ReptileConfig(),
        Budget(steps=4000, meta_batch=5, learning_rate=1.0),
        Card(NONE, "4 min on 2 cores"),
    ),
    "reptile-omniglot": Recipe(
        # With the support example ten of each class, as many as the paper trains on; and, as
        # there, characters that are split at random.
        OmniglotImages(protocol="finn2017", queries=9),
        ReptileConfig(),
        Budget(steps=30_000, meta_batch=5, learning_rate=1.0),
        Card(
            "95.39 / 98.90 / 88.14 / 96.65 % without transduction (--norm joint); "
            "97.68 / 99.48 / 89.43 / 97.12 % with it (--norm batch)",
            "about 3 h on 2 cores",
        ),
    ),
    "reptile-sinusoid": Recipe(
        CURVES,
        ReptileConfig(inner_lr=1e-2),
        Budget(steps=30_000, meta_batch=5, validate_every=3000, learning_rate=0.3),
        Card("no published figure in this setting", "1 min on 2 cores"),
    ),
    # 16 tasks a step: with 4 a neural process stayed at chance on 20 ways.
    "blackbox-glyphs": Recipe(
        GLYPHS,
        BlackBoxConfig(),
        Budget(steps=4000, meta_batch=16),
        Card(NONE, "3 to 10 min on 2 cores"),
    ),
    "blackbox-omniglot": Recipe(
        SNELL,
        BlackBoxConfig(memory=SupportSNAILConfig()),
        Budget(steps=20_000, meta_batch=16, validate_every=1000),
        Card(
            "5-way 1, 5-shot; 20-way 1, 5-shot: SNAIL 99.07 / 99.78 / 97.64 / 99.36 %, "
            "CNP 95.3 / 98.5 / 89.9 / 96.8 %, MANN 82.8 / 94.9 % (5-way)",
            "hours on 2 cores",
        ),
    ),
    "blackbox-sinusoid": Recipe(
        CURVES,
        BlackBoxConfig(memory=SupportMeanConfig()),
        WAVES,
        Card("no published figure in this setting", "3 min on 2 cores"),
    ),
    "transfer-glyphs": Recipe(
        GLYPHS,
        TransferConfig(),
        Budget(steps=3000, meta_batch=2, validate_every=1000),
        Card(NONE, "2 min on 2 cores"),
    ),
    "transfer-omniglot": Recipe(
        SNELL,
        TransferConfig(POOLED),
        Budget(steps=10_000, meta_batch=2),
        Card(NONE, "about 30 min on 2 cores"),
    ),
    "pretrained-sinusoid": Recipe(
        CURVES,
        PretrainedConfig(),
        Budget(steps=30_000, meta_batch=25, validate_every=5000),
        Card("the paper's baseline: 2.41 / 2.23 / 2.19 after 1 / 5 / 10 steps", "1 min on 2 cores"),
    ),
}
"""By name; `METHOD-PROBLEM`, whose settings are the defaults of that pair."""
