"""Where one walks from cell to cell: GridNavi, mazes, and games."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.experiments.family import FamilyProblem
from quickstudy.experiments.problem import Split

if TYPE_CHECKING:
    from quickstudy.envs.games.game import Games
    from quickstudy.envs.gridnavi import GridNavi
    from quickstudy.envs.maze import Maze
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class GridNaviFamily(FamilyProblem):
    """A grid of 5 × 5 cells with a hidden goal."""

    name: ClassVar[str] = "gridnavi"
    has: ClassVar[str] = "a game"

    trial_episodes: int = 4
    """n, the number of episodes in a trial."""

    def environment(self, split: Split, copies: int | None = None) -> "GridNavi":
        """The goals are the same in every split."""
        from quickstudy.envs.gridnavi import GridNavi

        return GridNavi()

    def planners(self, trial: "Trial") -> "Mapping[str, Reference]":
        """The Bayes optimum, exactly."""
        from quickstudy.oracles import gridnavi

        grid: Any = trial.environment
        best = gridnavi.bayes_optimal(grid, trial.episodes).by_goal
        return {"Bayes optimum": _of_each_goal(trial, best)}

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """An oracle that knows the goal."""
        from quickstudy.oracles import gridnavi

        grid: Any = trial.environment
        return {"goal known": _of_each_goal(trial, gridnavi.known_goal_returns(grid))}


def _of_each_goal(trial: "Trial", by_goal: Any) -> "Reference":
    from quickstudy.evaluation.trials import same_tasks
    from quickstudy.oracles import gridnavi

    grid: Any = trial.environment
    return same_tasks(trial, lambda tasks, _: by_goal[gridnavi.goal_numbers(grid, tasks)])


@dataclass(frozen=True)
class MazeFamily(FamilyProblem):
    """Mazes with layouts never seen; the second episode can be shorter than the first."""

    name: ClassVar[str] = "maze"
    has: ClassVar[str] = "a game"
    at_test: ClassVar[dict[str, str]] = {**FamilyProblem.at_test, "size": "size"}

    trial_episodes: int = 2
    """n, the number of episodes in a trial."""
    size: int = 5
    """Cells in a row. A policy that was trained in 5 × 5 can be tested in larger mazes: `quickstudy
    evaluate RUN --size 9`."""

    def environment(self, split: Split, copies: int | None = None) -> "Maze":
        """Mazes are drawn anew, and never met twice."""
        from quickstudy.envs.maze import Maze

        return Maze(self.size)

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """An oracle that knows the maze."""
        import jax

        from quickstudy.evaluation.trials import same_tasks

        maze: Any = trial.environment
        known = same_tasks(trial, lambda tasks, _: jax.vmap(maze.optimal_return)(tasks))
        return {"maze known": known}


@dataclass(frozen=True)
class GameFamily(FamilyProblem):
    """Small games with unknown rules; test games combine the rules in ways that training never
    did."""

    name: ClassVar[str] = "games"
    has: ClassVar[str] = "a game"

    trial_episodes: int = 6
    """n, the number of episodes in a trial."""

    def environment(self, split: Split, copies: int | None = None) -> "Games":
        """The rule combinations of the split."""
        from quickstudy.envs.games.game import Games

        return Games(split=split)

    def oracles(self, trial: "Trial") -> "Mapping[str, Reference]":
        """An oracle that knows the game."""
        import equinox as eqx
        import jax

        from quickstudy.evaluation.trials import same_tasks

        games: Any = trial.environment
        # One game after the other: each has 45,360 states times actions and steps in memory.
        best = eqx.filter_jit(lambda tasks: jax.lax.map(games.optimal_return, tasks))
        return {"game known": same_tasks(trial, lambda tasks, _: best(tasks))}
