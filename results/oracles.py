"""Print what the oracles score: bandits, then tabular MDPs. Some 40 minutes on two cores.

python results/oracles.py
"""

import jax
import numpy as np

from quickstudy.envs.bandit import Bandit
from quickstudy.envs.tabular import TabularMDP
from quickstudy.oracles import bandits, tabular
from quickstudy.oracles.gittins import Gittins
from quickstudy.oracles.instances import draw_tasks
from quickstudy.oracles.planning import optimum

TASKS, LUCK = jax.random.key(0), jax.random.key(1)
STRATEGIES = (
    bandits.Thompson(),
    bandits.OptimisticThompson(),
    bandits.UCB1(),
    bandits.EpsilonGreedy(),
    bandits.Greedy(),
    bandits.RandomArm(),
)
PLANNERS = (
    tabular.PSRL(),
    tabular.OptimisticPSRL(),
    tabular.UCRL2(),
    tabular.BEB(),
    tabular.EpsilonGreedyPlanner(),
    tabular.GreedyPlanner(),
    tabular.RandomPolicy(),
)


def written(scores: np.ndarray) -> str:
    """Mean and 95 % interval."""
    return f"{scores.mean():.2f} ± {1.96 * scores.std() / len(scores) ** 0.5:.2f}"


def controlled(scores: np.ndarray, best: np.ndarray, expected: float) -> str:
    """The same, with the best arm's reward, whose mean is known, as a control variate."""
    scores = scores.astype(np.float64)
    weight = np.cov(scores, best)[0, 1] / best.var()
    return written(scores - weight * (best - expected))


def print_bandits() -> None:
    """A row per number of pulls and arms."""
    names = [type(strategy).__name__ for strategy in STRATEGIES]
    print(f"| n, k | Gittins | Gittins, controlled | {' | '.join(names)} | best arm |")
    print("|---" * (len(names) + 4) + "|")
    for pulls, instances in ((10, 20_000), (100, 10_000), (500, 4_000)):
        gittins = Gittins.of(pulls)
        for arms in (5, 10, 50):
            tasks = draw_tasks(Bandit(arms=arms), instances, key=TASKS)
            best = np.asarray(bandits.best_arm(tasks, pulls), np.float64)
            first, *others = (
                np.asarray(bandits.play_bandits(strategy, tasks, pulls, key=LUCK).total)
                for strategy in (gittins, *STRATEGIES)
            )
            cells = [written(first), controlled(first, best, pulls * arms / (arms + 1))]
            cells += [written(scores) for scores in (*others, best)]
            print(f"| {pulls}, {arms} | {' | '.join(cells)} |", flush=True)


def print_tables() -> None:
    """A row per planner; the sum of the first n returns is the score of n episodes."""
    family = TabularMDP()
    tasks = draw_tasks(family, 2_000, key=TASKS)
    print("optimum per episode:", written(np.asarray(optimum(tasks, family.horizon))))
    for planner in PLANNERS:
        played = tabular.play_tabular(planner, family, tasks, 100, key=LUCK)
        sums = np.asarray(played.returns).cumsum(1)
        cells = [written(sums[:, n - 1]) for n in (10, 25, 50, 75, 100)]
        print(f"| {type(planner).__name__} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    print_bandits()
    print_tables()
