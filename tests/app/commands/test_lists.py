"""`quickstudy recipes`, `methods` and `problems`: what there is, on a screenful."""

import pytest

from quickstudy.app.cli import main
from quickstudy.app.flags import flags_of
from quickstudy.experiments.methods import METHODS
from quickstudy.experiments.problems import PROBLEMS
from quickstudy.experiments.recipes import RECIPES
from references.own_code import folder_of_classes
from references.refusing import stopped

SCREEN = (120, 40)


def listed(arguments, capsys):
    main(arguments)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= SCREEN[1]
    assert max(map(len, lines)) <= SCREEN[0]
    return lines


def test_recipes_by_what_a_person_has(capsys):
    lines = listed(["recipes"], capsys)
    words = " ".join(lines).split()
    assert set(RECIPES) <= set(words)
    assert "prototypical-glyphs (default)" in " ".join(lines)
    for has in {recipe.problem.has for recipe in RECIPES.values()}:
        assert f"{has}:" in lines


def test_methods_and_problems_a_line_each(capsys):
    methods, problems = listed(["methods"], capsys), listed(["problems"], capsys)
    for kind in METHODS:
        assert any(line.split()[:1] == [kind.name] for line in methods), kind.name
    for kind in PROBLEMS:
        assert any(line.split()[:2] == ["--on", kind.spelled()] for line in problems), kind.name
    assert "photographs in folders:" in problems


def test_methods_that_learn_a_problem(capsys, tmp_path):
    bandit = [line.split()[0] for line in listed(["methods", "--on", "bandit"], capsys)[1:]]
    assert bandit == ["rl2", "varibad", "maml", "pretrained"]
    curves = [line.split()[0] for line in listed(["methods", "--on", "sinusoid"], capsys)[1:]]
    assert "cavia" in curves
    assert not {"prototypical", "transfer", "rl2"} & set(curves)
    folder = str(folder_of_classes(tmp_path / "photos", 3, 1))
    photos = [line.split()[0] for line in listed(["methods", "--on", folder], capsys)[1:]]
    assert {"prototypical", "maml", "transfer"} <= set(photos)


@pytest.mark.parametrize("name", ["maml-omniglot", "rl2-metaworld", "maml-bandit"])
def test_everything_about_one_recipe(name, capsys):
    recipe = RECIPES[name]
    main(["recipes", name])
    out = capsys.readouterr().out
    for said in (recipe.card.reaches, recipe.card.takes, recipe.source, f"quickstudy train {name}"):
        assert any(line.endswith(said) for line in out.splitlines()), "cut short"
    method = recipe.method.prepared(recipe.problem)
    unread = recipe.method.unread()
    for flag in [*flags_of(recipe.problem, unread), *flags_of(method, unread)]:
        assert f"--{flag.spelled} {flag.default}" in out
    for field in recipe.method.unread():
        assert f"--{field.replace('_', '-')} " not in out


def test_recipes_with_a_word_in_their_names(capsys):
    main(["recipes", "sinusoid"])
    out = capsys.readouterr().out
    assert "maml-sinusoid" in out
    assert "maml-omniglot" not in out
    assert "no recipe has 'omnigolt'" in stopped(["recipes", "omnigolt"], capsys)
    assert "is one argument too many" in stopped(["problems", "glyphs"], capsys)
    assert "--on PROBLEM" in stopped(["methods", "glyphs"], capsys)
