"""RL² where one walks: GridNavi, mazes, and sparse navigation in the plane."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from quickstudy.recipes.meta_rl import MetaRL, WithRL2
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.games.game import Games
    from quickstudy.envs.gridnavi import GridNavi
    from quickstudy.envs.maze import Maze
    from quickstudy.envs.navigation import SparseNavigation
    from quickstudy.evaluation.trials import Reference


@dataclass(frozen=True)
class OnGridNavi(MetaRL):
    """Grids with a goal that is not seen."""

    episodes: int = 4

    def environment(self, split: Split) -> "GridNavi":
        """5 × 5 cells; the goals are the same in every split."""
        from quickstudy.envs.gridnavi import GridNavi

        return GridNavi()

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """The Bayes optimum, exactly, and who knows the goal."""
        from quickstudy.evaluation.trials import same_tasks
        from quickstudy.oracles import gridnavi

        grid, trial = self.environment(split), self.trial(split)
        optimum = gridnavi.bayes_optimal(grid, self.episodes).by_goal
        known = gridnavi.known_goal_returns(grid)

        def of_each(by_goal: Any) -> "Reference":
            return same_tasks(trial, lambda tasks, _: by_goal[gridnavi.goal_numbers(grid, tasks)])

        return {
            "Bayes optimum": of_each(optimum),
            **super().references(split),
            "goal known": of_each(known),
        }


@dataclass(frozen=True)
class OnMazes(MetaRL):
    """Mazes with layouts never seen; two episodes."""

    episodes: int = 2
    size: int = 5
    """Cells in a row. What was trained in 5 × 5 can be tested in more: `quickstudy evaluate RUN
    --size 9`."""

    def environment(self, split: Split) -> "Maze":
        """Mazes are drawn anew, and never met twice."""
        from quickstudy.envs.maze import Maze

        return Maze(self.size)

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Who knows the maze."""
        import jax

        from quickstudy.evaluation.trials import same_tasks

        maze, trial = self.environment(split), self.trial(split)
        knows = same_tasks(trial, lambda tasks, _: jax.vmap(maze.optimal_return)(tasks))
        return {**super().references(split), "maze known": knows}


@dataclass(frozen=True)
class OnGames(MetaRL):
    """Small grid games; test games combine rules in ways that training never did."""

    episodes: int = 6

    def environment(self, split: Split) -> "Games":
        """The rule combinations of the split."""
        from quickstudy.envs.games.game import Games

        return Games(split=split)

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Who knows the game."""
        import equinox as eqx
        import jax

        from quickstudy.evaluation.trials import same_tasks

        games, trial = self.environment(split), self.trial(split)
        best = eqx.filter_jit(lambda tasks: jax.lax.map(games.optimal_return, tasks))
        knows = same_tasks(trial, lambda tasks, _: best(tasks))
        return {**super().references(split), "game known": knows}


@dataclass(frozen=True)
class OnHalfCircle(MetaRL):
    """A goal on a half circle, felt only when near (PEARL)."""

    episodes: int = 4

    def environment(self, split: Split) -> "SparseNavigation":
        """Goals are drawn anew."""
        from quickstudy.envs.navigation import SparseNavigation

        return SparseNavigation()

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Who knows the goal."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.oracles.goal import KnowsGoal

        knows = acting(KnowsGoal(self.environment(split)), self.trial(split))
        return {**super().references(split), "goal known": knows}


@dataclass(frozen=True)
class RL2GridNavi(WithRL2, OnGridNavi):
    """RL² in GridNavi: search once, then go straight."""

    name: ClassVar[str] = "rl2-gridnavi"
    reaches: ClassVar[str] = "within 5 % of the Bayes optimum (11.07) from the second episode"
    takes: ClassVar[str] = "10 to 20 min on 2 cores"
    source: ClassVar[str] = "Zintgraf et al., 2020, https://arxiv.org/abs/1910.08348"

    steps: int = 1500
    meta_batch: int = 256
    width: int = 128
    learning_rate: float = 2e-3
    entropy_weight: float = 0.01


@dataclass(frozen=True)
class RL2Maze(WithRL2, OnMazes):
    """RL² in mazes: the second episode must be shorter than the first."""

    name: ClassVar[str] = "rl2-maze"
    reaches: ClassVar[str] = "a second episode 25 % shorter than the first"
    takes: ClassVar[str] = "an hour; reached after 1,000 steps (33 %)"
    source: ClassVar[str] = "Duan et al., 2016, https://arxiv.org/abs/1611.02779"

    steps: int = 1500
    meta_batch: int = 256
    width: int = 128
    learning_rate: float = 1e-3
    entropy_weight: float = 0.01


@dataclass(frozen=True)
class RL2Games(WithRL2, OnGames):
    """RL² in games: find out the rules of a new game, then play it well."""

    name: ClassVar[str] = "rl2-games"
    reaches: ClassVar[str] = "in unseen games, a last episode of twice the first's return"
    takes: ClassVar[str] = "45 min on one core; reached (2.08 times)"
    source: ClassVar[str] = "Duan et al., 2016, https://arxiv.org/abs/1611.02779"

    steps: int = 1800
    meta_batch: int = 256
    width: int = 128
    reader: int = 64
    learning_rate: float = 2e-3
    entropy_weight: float = 0.01


@dataclass(frozen=True)
class RL2HalfCircle(WithRL2, OnHalfCircle):
    """RL² with continuous actions and a sparse reward."""

    name: ClassVar[str] = "rl2-half-circle"
    reaches: ClassVar[str] = "a later episode that pays more than the first"
    takes: ClassVar[str] = "half an hour"
    source: ClassVar[str] = "Rakelly et al., 2019, https://arxiv.org/abs/1903.08254"

    steps: int = 1000
    meta_batch: int = 256
    width: int = 128
    learning_rate: float = 1e-3
