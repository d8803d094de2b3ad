"""Flags: those that a run reads, and no other; what it does not read is refused with its owner."""

import re
from dataclasses import fields

import pytest

from quickstudy.app.cli import main
from quickstudy.app.commands.train import _flags
from quickstudy.app.flags import Flag, demand_read, flags_of, parse, unchosen, value_of
from quickstudy.app.pairing import named_recipe
from quickstudy.errors import BadInput
from quickstudy.experiments.methods import METHODS
from quickstudy.experiments.problems import PROBLEMS
from quickstudy.experiments.problems.yours import YourImages
from quickstudy.experiments.recipes import RECIPES
from quickstudy.experiments.settings import Choice
from references.recipes import typed, untrained
from references.refusing import demand_refused, stopped

NAMED = [kind for kind in PROBLEMS if not issubclass(kind, YourImages)]


def pairs():
    for method in METHODS:
        for problem in NAMED:
            try:
                yield named_recipe(method.name, problem.name)
            except BadInput:
                continue


def every_choice(value):
    """The value, and with each of its choices made otherwise, one at a time."""
    yield value
    for field in fields(value):
        now = getattr(value, field.name)
        if isinstance(now, Choice):
            base = type(now).__mro__[1]
            while base.__mro__[1] is not Choice:
                base = base.__mro__[1]
            for kind in base.choices().values():
                yield type(value)(**{field.name: kind()})


def test_no_two_flags_of_a_pair_have_one_name():
    """With any choice."""
    seen = 0
    for recipe in pairs():
        for method in every_choice(recipe.method.prepared(recipe.problem)):
            flags, hidden = [*_flags(recipe, None)], method.unread()
            for part in (recipe.problem, method, recipe.budget):
                flags += flags_of(part, hidden)
            names = [flag.spelled for flag in flags]
            double = {name for name in names if names.count(name) > 1}
            assert not double, (recipe.name, method)
            seen += 1
    assert seen > 300


def test_every_flag_is_explained():
    for recipe in pairs():
        for flag in [*flags_of(recipe.problem), *flags_of(recipe.method), *_flags(recipe, None)]:
            assert flag.help.endswith((".", ")")), flag.name


def helped(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert "{None}" not in out
    return set(re.findall(r"^[│| ]*--([a-z][a-z-]*)", out, re.MULTILINE)), out


COMMON = {"seed", "steps", "meta-batch", "validate-every", "validation-episodes"}
ADAM = {"learning-rate", "clip", "warm-up", "weight-decay"}
AVERAGED = {"accumulate", "ema"}
OUTER = ADAM | AVERAGED
COMMAND = {"on", "run", "resume", "test", "tensorboard"}
CONV4 = {"network", "filters", "norm", "downsample", "readout", "compute"}
SHAPE = {"ways", "shots", "queries", "fewest-ways", "fewest-shots"}
ACTING = {"memory", "width", "reader", "improvement", "discount", "decay", "parts", "forgets",
          "told", "trial-episodes", "scale"}  # fmt: skip
PPO = {"epochs", "minibatches", "entropy-weight", "clip-ratio"}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["maml-glyphs"], {*CONV4, *SHAPE, *OUTER, "inner-lr", "inner-steps", "test-inner-steps"}),
        (["maml", "--on", "glyphs", "--network", "mlp"],
         {"network", "width", "layers", *SHAPE, *OUTER, "inner-lr", "inner-steps",
          "test-inner-steps"}),
        (["reptile-sinusoid"],
         {"network", "width", "layers", "shots", "queries", "test-shots", "test-queries",
          "learning-rate", *AVERAGED, "inner-lr", "inner-steps", "test-inner-steps",
          "inner-batch", "moments"}),
        (["prototypical-omniglot"],
         {*CONV4, *SHAPE, *OUTER, "protocol", "data", "train-ways", "similarity"}),
        (["rl2-bandit"], {*ACTING, *PPO, *ADAM, "arms"}),
        (["rl2", "--on", "maze", "--improvement", "trpo", "--memory", "table"],
         None),
        (["rl2-maze", "--improvement", "trpo"], {*ACTING, *ADAM, "radius", "size"}),
        (["varibad-gridnavi"],
         {"latent", "predicts", "decoder-width", "kl-weight", "posteriors", "model-epochs",
          "model-minibatches", "model-rate", "policy-width", "policy-warm-up",
          *PPO, *ADAM, *ACTING}
         - {"parts", "forgets", "told"}),
        (["maml-bandit"],
         {"arms", "updates", "inner-steps", "trajectories", "width", "adapts", "inner-lr",
          "later-lr", "rule", "estimator", "outer", "radius", "curvature-every", "discount",
          "decay", "baseline", "scale", "scored-updates", "scored-trajectories", "offset",
          "weights", "inner-decay", "inner-discount", "unit"}),
    ],
)  # fmt: skip
def test_help_shows_what_this_run_reads(arguments, wanted, capsys):
    if wanted is None:
        assert "table counts states" in stopped(["train", *arguments, "--help"], capsys)
        return
    found, _ = helped(["train", *arguments], capsys)
    named = {name.removeprefix("no-") for name in found if name != "help"}
    assert named - {"test"} == {*COMMON, *COMMAND, *wanted} - {"test"}


def test_help_of_commands_on_a_run(tmp_path, capsys):
    glyphs = str(untrained(tmp_path / "glyphs", "maml-glyphs", "--filters 2"))
    bandit = str(untrained(tmp_path / "bandit", "rl2-bandit", "--width 4"))
    maze = str(untrained(tmp_path / "maze", "rl2-maze", "--width 4"))
    own = {"on", "split", "episodes", "recipe"}
    shape = {"ways", "shots", "queries"}
    for arguments, wanted in (
        (["evaluate", glyphs], {*own, *shape, "curves", "test-inner-steps"}),
        (["evaluate", bandit], {*own, "trial-episodes", "greedy"}),
        (["evaluate", maze], {*own, "trial-episodes", "greedy", "size"}),
        (["report", glyphs], {"episodes", "recipe"}),
        (["report", bandit], {"beside", "recipe"}),
        (["play", bandit], {"trial", "split", "greedy", "recipe"}),
        (["export", bandit, "file"], {"recipe"}),
        (["classify"], {"save", "json", "page", "unknown", "with", "ink", "recipe"}),
        (["predict"], {"json"}),
    ):
        found, out = helped(arguments, capsys)
        assert {name.removeprefix("no-") for name in found} - {"help"} == wanted, arguments
        assert "maze" not in out or "maze" in arguments[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "maml-glyphs --reads 3",
            "--reads is not read .* a setting of the method matching",
        ),
        ("matching-glyphs --reads 3", "belongs to --context full, and here --context is none"),
        ("rl2-bandit --radius 1", "belongs to --improvement trpo, and here --improvement is ppo"),
        ("rl2-bandit --reader 2 --memory none", "here --memory is none"),
        ("maml-glyphs --arms 3", "it is a setting of the problem bandit"),
        ("maml-glyphs --size 9", "it is a setting of the problem"),
        ("maml-glyphs --train-ways 9", "it is a setting of the method prototypical"),
        ("maml-glyphs --width 9", "--width"),
        ("maml-glyphs --data there", "reads no folder of data; .* --on FOLDER"),
        ("reptile-glyphs --clip 3", "reptile with these settings has no use for it"),
        ("reptile-glyphs --weight-decay 0.1", "reptile with these settings has no use for it"),
        ("rl2-bandit --ema 0.9", "rl2 with these settings has no use for it"),
        ("maml-bandit --warm-up 3", "maml with these settings has no use for it"),
        ("maml-bandit --learning-rate 1", "maml with these settings has no use for it"),
        ("rl2-cheetah --patience 5", "--patience is not read by this run: it is for worker"),
        ("rl2-bandit --episodes 3", "episodes of a trial are --trial-episodes"),
        ("maml-bandit --trial-episodes 3", "--trial-episodes is not read"),
        ("maml-navigation --rule learned-rates --later-lr 1", "has no use for it"),
        ("maml-sinusoid --filters 3", "--filters"),
        ("maml-sinusoid --inner-stepz 3", "did you mean --inner-steps"),
        ("maml-sinusoid --zzzz 3", "there is no flag --zzzz here"),
        ("maml-sinusoid --network vgg", "'vgg'; give one of conv4, resnet12, mlp"),
        ("maml-sinusoid --network mpl", "did you mean mlp"),
        ("maml-sinusoid --recipe a.py:X", "--recipe"),
        ("blackbox-glyphs --memory gru --past 3", "belongs to --memory snail"),
    ],
)
def test_what_a_training_does_not_read(given, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = stopped(["train", *given.split()], capsys)
    assert re.search(said, " ".join(text.split())), text
    demand_refused(["train", *given.split()], "--", tmp_path, capsys)


@pytest.mark.parametrize(
    ("run", "given", "said"),
    [
        ("maml-glyphs", "--steps 3", "it is a setting of the training, and stays as trained"),
        ("maml-glyphs", "--inner-lr 3", "stays as trained"),
        ("maml-glyphs", "--filters 3", "stays as trained"),
        ("maml-glyphs", "--size 3", "it is a setting of the problem"),
        ("maml-glyphs", "--data .", "give it as the problem: --on FOLDER"),
        ("rl2-bandit", "--shots 5", "it is a setting of the problem"),
        ("rl2-bandit", "--updates 9", "it is a setting of the method maml"),
        ("rl2-bandit", "--size 9", "it is a setting of the problem"),
        ("rl2-bandit", "--no-curves", "--no-curves"),
        ("rl2-bandit", "--data .", "reads no folder"),
    ],
)
def test_what_a_test_does_not_read(run, given, said, runs, capsys):
    text = stopped(["evaluate", str(runs[run]), *given.split()], capsys)
    assert re.search(said, " ".join(text.split())), text
    assert {file.name for file in runs[run].iterdir()} == FILES


FILES = {"recipe.json", "environment.json", "learner.safetensors"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder, small = tmp_path_factory.mktemp("runs"), {"maml-glyphs": "--filters 2"}
    return {n: untrained(folder / n, n, small.get(n, "")) for n in ("maml-glyphs", "rl2-bandit")}


def test_the_last_value_counts_and_either_spelling():
    assert value_of("inner_lr", ["--inner_lr", "1", "--inner-lr=2"]) == "2"
    assert value_of("run", ["--run", "a", "--run=b_c"]) == "b_c"
    assert value_of("run", ["--runs", "a"]) is None
    assert typed("maml-sinusoid", "--inner_lr 0.5").method.inner_lr == 0.5


@pytest.mark.parametrize(
    "given", ["--steps 2 --steps 3", "--meta-batch 2 --meta_batch=3", "--test --no-test"]
)
def test_a_flag_that_is_given_twice(given, tmp_path, monkeypatch, capsys):
    """The last would count in silence."""
    monkeypatch.chdir(tmp_path)
    said = stopped(["train", "maml-sinusoid", *given.split()], capsys)
    assert re.search("--(steps|meta-batch|no-test) is given twice", said), said


def test_two_settings_of_one_name():
    flags = [Flag("network", str, "", "a"), Flag("network_", str, "", "b")]
    with pytest.raises(BadInput, match="two settings would share the flag --network"):
        parse(flags, [], prog="train", description="")
    flags = [Flag("decay", bool, "", True), Flag("no_decay", bool, "", True)]
    with pytest.raises(BadInput, match="two settings would share the flag --no-decay"):
        parse(flags, [], prog="train", description="")


def test_a_setting_whose_name_begins_with_no():
    flags = [Flag("decay", float, "", 0.1), Flag("no_decay", bool, "", False)]
    found = parse(flags, ["--no-decay", "--decay", "0.2"], prog="train", description="")
    assert found == {"decay": 0.2, "no_decay": True}
    demand_read(flags, ["--no-decay", "--decay", "0.2"], {})
    with pytest.raises(BadInput, match="no flag --no-decay here; did you mean --decay"):
        demand_read(flags[:1], ["--no-decay"], {})


def test_choices_keep_their_own_defaults():
    method = typed("rl2-games").method
    assert (method.memory.name, method.memory.width, method.memory.reader) == ("gru", 128, 64)
    changed = typed("rl2-games", "--memory lstm").method
    assert (changed.memory.name, changed.memory.width, changed.memory.reader) == ("lstm", 64, 0)
    assert typed("rl2-games", "--memory gru").method == method


def test_what_another_choice_reads_is_known():
    found = unchosen(RECIPES["matching-glyphs"].method)
    assert found == {"reads": "it belongs to --context full, and here --context is none"}


@pytest.mark.parametrize("default", [{}, [1], print, (print,)])
def test_a_setting_that_no_flag_can_give_is_named(default):
    with pytest.raises(BadInput, match=r"the setting rates is .* change the field rates"):
        parse([Flag("rates", dict, "", default)], [], prog="train", description="")
