"""`quickstudy evaluate RUN` for policies: many trials in MDPs never met, beside the oracles."""

from typing import TYPE_CHECKING, Any

from quickstudy.errors import BadInput
from quickstudy.recipes import MetaRL

if TYPE_CHECKING:
    from quickstudy.app.commands.evaluate import Evaluate
    from quickstudy.evaluation.trials import TrialEvaluation


def evaluate_policy_run(policy: Any, recipe: MetaRL, options: "Evaluate") -> "TrialEvaluation":
    """Evaluate, print the table, and leave JSON and a picture beside the run.

    Raises:
        BadInput: an option that is about classes and examples.
    """
    import jax

    from quickstudy.app.commands.evaluate import TEST_SEED, noted, write
    from quickstudy.evaluation.trials import evaluate_earnings
    from quickstudy.experiments.policy_result import PolicyResult

    given = [name for name in ("ways", "shots", "queries", "on") if getattr(options, name)]
    if given:
        raise BadInput(
            f"--{given[0]} is for learners that read examples, and {recipe.name} trains a policy "
            "that acts; leave it out"
        )
    evaluation = evaluate_earnings(
        recipe.earning(policy, options.split),
        trials=options.episodes or recipe.test_trials,
        key=jax.random.key(TEST_SEED),
        references=recipe.references(options.split),
        stage=recipe.stage,
    )
    definition = recipe.definition()
    about = noted(recipe, options, definition["environment"])
    write(PolicyResult(evaluation, definition, **about), options, recipe.test_trials)
    return evaluation
