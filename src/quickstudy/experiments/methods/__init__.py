"""Methods, one paper a file, found by name and by the kind of problem that they learn."""

import difflib
from collections.abc import Mapping
from typing import Any

from quickstudy.errors import BadInput
from quickstudy.experiments.method import LearnerMethod as LearnerMethod
from quickstudy.experiments.method import Method
from quickstudy.experiments.methods import (
    anil,
    blackbox,
    cavia,
    imaml,
    inner_loop,
    maml,
    maml_plus_plus,
    maml_rl,
    matching,
    meta_sgd,
    own,
    pretrained_rl,
    prototypical,
    relation,
    reptile,
    ridge,
    rl2,
    transfer,
    varibad,
)
from quickstudy.experiments.problem import Problem
from quickstudy.experiments.scope import Scope
from quickstudy.experiments.settings import read_settings, read_settings_as

METHODS: tuple[type[Method], ...] = (
    prototypical.PrototypicalConfig,
    matching.MatchingConfig,
    relation.RelationConfig,
    ridge.RidgeConfig,
    maml.MAMLConfig,
    maml.FirstOrderMAMLConfig,
    anil.ANILConfig,
    anil.BOILConfig,
    cavia.CAVIAConfig,
    meta_sgd.MetaSGDConfig,
    maml_plus_plus.MAMLPlusPlusConfig,
    imaml.ImplicitMAMLConfig,
    reptile.ReptileConfig,
    inner_loop.InnerLoopConfig,
    blackbox.BlackBoxConfig,
    transfer.TransferConfig,
    maml.PretrainedConfig,
    rl2.RL2Config,
    varibad.VariBADConfig,
    maml_rl.MAMLPolicyConfig,
    pretrained_rl.PretrainedPolicyConfig,
)
"""In the order of lists. Two may share a name, if they learn problems of different kinds."""
HIDDEN: tuple[type[Method], ...] = (own.OwnLearnerConfig,)
"""Found by what a run's file says, not by a name on the command line."""


def find_method(name: str, problem: Problem | None = None) -> Method:
    """The method of that name that learns problems of that kind, or one from a file.

    Raises:
        BadInput: there is none, and the message suggests the nearest.
    """
    from quickstudy.experiments.own import from_file, is_file

    if is_file(name):
        return own.method_of(from_file(name))
    named = [kind for kind in METHODS if kind.name == name]
    if not named:
        near = difflib.get_close_matches(name, [kind.name for kind in METHODS], n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadInput(f"there is no method {name!r}; {hint}`quickstudy methods` lists them all")
    fitting = [kind for kind in named if problem is None or isinstance(problem, kind.learns)]
    # If none fits, the first of that name, whose `check` says why.
    return (fitting or named)[0]()


def any_method(value: Mapping[str, Any], problem: Problem, scope: Scope) -> Method:
    """The method that a file says, of the kind that learns its problem."""
    name = value.get("name")
    for kind in (*METHODS, *HIDDEN):
        if kind.name == name and isinstance(problem, kind.learns):
            return read_settings_as(kind, value, scope)
    return read_settings(Method, value, scope)
