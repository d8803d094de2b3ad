"""Supervised meta-training of a learner, from its tasks to its best weights."""

from jaxtyping import PRNGKeyArray

from quickstudy.learners.learner import Learner, demand_fitting
from quickstudy.progress import Reporter
from quickstudy.runs import Run
from quickstudy.tasks.task import TaskDistribution
from quickstudy.training.fit import fit
from quickstudy.training.meta_training import MetaTraining
from quickstudy.training.plan import MetaPlan


def train(
    learner: Learner,
    tasks: TaskDistribution,
    *,
    validation: TaskDistribution,
    plan: MetaPlan | None = None,
    key: PRNGKeyArray,
    run: Run | None = None,
    report: Reporter | None = None,
) -> Learner:
    """Meta-train: θ* = argmin_θ Σ_i L(f_adapt(θ, D_i^tr), D_i^ts).

    Args:
        learner: its array leaves are the initial θ.
        tasks: p(T) of meta-training.
        validation: p(T) of meta-validation; chooses among the weights met on the way.
        plan: steps, meta-batch, optimiser, validation.
        key: consumed; decides every task that is sampled.
        run: a folder for checkpoints and metrics; continues if it holds a checkpoint.
        report: is told of the progress.

    Returns:
        the learner with the weights that did best in validation.

    Raises:
        BadInput: the learner cannot take the tasks, or `key` is none of JAX's.
        NonFiniteLoss: training diverged.

    Example:
        >>> import jax, quickstudy as qs
        >>> tasks = qs.Sinusoid(shots=5)
        >>> model = qs.MLP(1, (8, 1), key=jax.random.key(0))
        >>> learner = qs.MAML(model, inner_lr=0.01, loss=qs.squared_error)
        >>> plan = qs.MetaPlan(steps=2, meta_batch=2, validation_episodes=2)
        >>> trained = qs.train(learner, tasks, validation=tasks, plan=plan, key=jax.random.key(1))
        >>> type(trained).__name__
        'MAML'
    """
    plan = plan or MetaPlan()
    for distribution in (tasks, validation):
        # Of shapes alone: tasks that do not fit are refused before anything is computed.
        demand_fitting(learner, distribution)
    algorithm = MetaTraining(
        learner,
        tasks,
        validation,
        plan.optimiser,
        plan.meta_batch,
        plan.validation_episodes,
        plan.for_test,
        plan.ema,
    )
    return fit(algorithm, plan, key=key, run=run, report=report).best
