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
    from rich.console import Console

    from quickstudy.app.commands.evaluate import TEST_SEED, where
    from quickstudy.app.report.figures import save
    from quickstudy.app.report.returns import returns_figure, returns_table
    from quickstudy.checkpoint import write_json
    from quickstudy.evaluation.trials import evaluate_earnings

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
    folder = options.run if options.run.is_dir() else options.run.parent
    Console().print(returns_table(evaluation, recipe.name, options.split, folder))
    name = f"evaluation-{where(options, recipe.test_trials)}"
    write_json(folder / f"{name}.json", {**evaluation.to_json(), **recipe.definition()})
    save(returns_figure(evaluation), folder / f"{name}.png")
    return evaluation
