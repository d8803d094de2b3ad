"""Recipes as JSON, of today and of version 0.1: how many steps they plan."""

from quickstudy.recorded import planned_steps, with_steps

TODAY = {"recipe": "maml-sinusoid", "budget": {"steps": 5, "seed": 1}}
OLD = {"recipe": "maml-sinusoid", "steps": 3, "seed": 1}


def test_steps_of_today_and_of_version_01():
    assert planned_steps(TODAY) == 5
    assert planned_steps(OLD) == 3
    assert planned_steps({"recipe": "another's"}) is None


def test_another_number_leaves_all_else_and_the_given_alone():
    assert with_steps(TODAY, 9) == {"recipe": "maml-sinusoid", "budget": {"steps": 9, "seed": 1}}
    assert with_steps(OLD, 9) == {"recipe": "maml-sinusoid", "steps": 9, "seed": 1}
    assert (planned_steps(TODAY), planned_steps(OLD)) == (5, 3)
    assert with_steps({"recipe": "another's"}, 9) == {"recipe": "another's"}
    assert planned_steps(with_steps(TODAY, None)) is None
