"""The exact optimum of GridNavi: with the goal known, and with the goal to be found.

Transitions are known and rewards tell the goal exactly, so the belief is a set: the goal is
uniform over the cells not visited yet. Until it is found a policy has nothing to react to; it
follows a plan, and once it has found the goal it stays there, and walks straight to it in later
episodes. The Bayes-optimal policy is therefore the plan x of most expected steps on the goal:

    max_x  Σ_g  (H − t_g + 1) + (n − e_g)(H − d_g + 1)

where x first visits g in step t_g of episode e_g of n, and d_g is g's distance from the start. A
step on the goal pays 1, any other −0.1.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from quickstudy.envs.gridnavi import ELSEWHERE, MOVES, ON_GOAL, GridNavi, Hidden
from quickstudy.errors import BadInput

BEAM = 1000
LARGEST = 5  # beyond 5 × 5 cells the exact search takes too long


class BayesOptimum(NamedTuple):
    """What the Bayes-optimal policy does and gets.

    Attributes:
        by_goal: `[goals, episodes]`, the return of each episode, for each of `grid.goals`.
        plan: `[episodes, steps, 2]`, the cells to step on while the goal is not found, x and y.
    """

    by_goal: Float64[np.ndarray, "goals episodes"]
    plan: Int64[np.ndarray, "episodes steps 2"]

    @property
    def returns(self) -> Float64[np.ndarray, " episodes"]:
        """The expected return of each episode, over goals."""
        return self.by_goal.mean(0)


def known_goal_returns(grid: GridNavi) -> Float64[np.ndarray, " goals"]:
    """The return of an episode with the goal known, for each of `grid.goals`.

    Args:
        grid: its size and horizon count.

    Returns:
        (H − d_g + 1) − 0.1 (d_g − 1).

    Example:
        >>> round(float(known_goal_returns(GridNavi()).mean()), 4)
        11.0714
    """
    return _pay(_stays(grid), grid.horizon)


def goal_numbers(grid: GridNavi, tasks: Hidden) -> Int64[np.ndarray, " tasks"]:
    """Which of `grid.goals` each task has.

    Args:
        grid: the family.
        tasks: with a leading axis.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> grid = GridNavi()
        >>> goal_numbers(grid, jax.vmap(Hidden)(jnp.asarray(grid.goals[[3, 0]]))).tolist()
        [3, 0]
    """
    same = np.asarray(tasks.goal)[:, None] == grid.goals[None]
    return same.all(-1).argmax(1)


def bayes_optimal(grid: GridNavi, episodes: int = 4) -> BayesOptimum:
    """The highest expected return of a trial in which the goal is unknown at first. It is exact.

    The search goes forward over (cell, set of cells visited), and leaves out what provably cannot
    reach the best plan known so far.

    Args:
        grid: of at most 5 × 5 cells.
        episodes: of the trial.

    Returns:
        The returns and the plan. Other plans may have the same sum. In
        5 × 5 cells and 15 steps the first episode visits 14 of the 21 cells, and the second walks
        past the other 7 without a detour: from then on, not knowing costs nothing.

    Raises:
        BadInput: a larger grid, or no episode.

    Example:
        >>> optimum = bayes_optimal(GridNavi(), episodes=4)
        >>> optimum.returns.round(2).tolist(), round(float(optimum.returns.sum()), 4)
        ([4.0, 11.07, 11.07, 11.07], 37.2143)
    """
    if grid.size > LARGEST or episodes < 1:
        raise BadInput(
            f"size is {grid.size} and episodes is {episodes}; the exact search takes grids of up "
            f"to {LARGEST} cells a side and 1 or more episodes"
        )
    search = _Search(grid, episodes)
    # A beam's plan is nearly the best; its value lets the exact search leave out nearly all.
    known, _ = search.run(least=0, most=BEAM)
    _, plan = search.run(least=known, most=None)
    return BayesOptimum(_by_goal(grid, plan), plan)


def _pay(on_goal: np.ndarray, steps: int) -> np.ndarray:
    return ON_GOAL * on_goal + ELSEWHERE * (steps - on_goal)


def _stays(grid: GridNavi) -> np.ndarray:
    """Steps on each goal in an episode that walks straight to it."""
    return np.maximum(grid.horizon - grid.goals.sum(1) + 1, 0)


def _by_goal(grid: GridNavi, plan: np.ndarray) -> np.ndarray:
    """Each episode's return, by playing the plan against every goal."""
    episodes, horizon, _ = plan.shape
    on_goal = np.zeros((len(grid.goals), episodes))
    for index, (goal, stay) in enumerate(zip(grid.goals, _stays(grid), strict=True)):
        visits = np.argwhere((plan == goal).all(-1))
        if len(visits):
            episode, time = visits[0]
            on_goal[index, episode] = horizon - time
            on_goal[index, episode + 1 :] = stay
    return _pay(on_goal, horizon)


class _Layer(NamedTuple):
    """All that may be so after one more step; `parent` is an index into the layer before."""

    cell: np.ndarray
    visited: np.ndarray  # a bit for each goal
    value: np.ndarray  # steps on the goal, summed over the goals visited
    parent: np.ndarray


class _Search:
    """Forward search for the plan of most steps on the goal, all goals taken together."""

    def __init__(self, grid: GridNavi, episodes: int) -> None:
        self.horizon, self.episodes, self.cells = grid.horizon, episodes, grid.size**2
        xy = np.stack(np.divmod(np.arange(self.cells), grid.size), -1)
        moved = np.clip(xy[None] + MOVES[:, None], 0, grid.size - 1)
        self.xy, self.following = xy, moved[..., 0] * grid.size + moved[..., 1]
        self.stays = _stays(grid)
        goals = grid.goals[:, 0] * grid.size + grid.goals[:, 1]
        self.bits, self.stay_at = np.zeros((2, self.cells), np.int64)
        self.bits[goals] = 1 << np.arange(len(goals))
        self.stay_at[goals] = self.stays

    def run(self, least: int, most: int | None) -> tuple[int, np.ndarray]:
        """The best value and its plan, among those that may reach `least`.

        With `most`, only that many, the most promising, are followed in each step.
        """
        one = np.zeros(1, np.int64)
        layers = [_Layer(one, one, one, one)]
        for episode in range(self.episodes):
            for time in range(1, self.horizon + 1):
                layer = self.extend(layers[-1], episode, time)
                bound = self.bound(layer, episode, time)
                if most is None:
                    keep = np.flatnonzero(bound >= least)
                else:
                    keep = np.argsort(-bound, kind="stable")[:most]
                layers.append(_Layer(*(column[keep] for column in layer)))
        return self.trace(layers)

    def extend(self, layer: _Layer, episode: int, time: int) -> _Layer:
        """One step on, the best way to each (cell, set visited)."""
        start = layer.cell if time > 1 else np.zeros_like(layer.cell)
        cell = self.following[:, start].ravel()
        parent = np.tile(np.arange(len(layer.cell)), len(self.following))
        visited, value = layer.visited[parent], layer.value[parent]
        new = (self.bits[cell] & ~visited) != 0
        gain = self.horizon - time + 1 + (self.episodes - 1 - episode) * self.stay_at[cell]
        value, visited = value + np.where(new, gain, 0), visited | self.bits[cell]
        # At an episode's end all return to the start: where they ended makes no difference.
        place = visited * self.cells + (cell if time < self.horizon else 0)
        # By place, the best value first: of each place the first stays.
        order = np.lexsort((-value, place))
        order = order[np.append(True, np.diff(place[order]) != 0)]
        return _Layer(cell[order], visited[order], value[order], parent[order])

    def bound(self, layer: _Layer, episode: int, time: int) -> np.ndarray:
        """A value that no continuation exceeds: as if a new goal were visited in every step."""
        unseen = (layer.visited[:, None] >> np.arange(len(self.stays)) & 1) == 0
        left, later = unseen.sum(1), self.episodes - 1 - episode
        first = np.zeros(len(self.stays) + 1, np.int64)
        for count in range(len(self.stays)):
            nth, steps = count, self.horizon - time
            for _ in range(later):
                if nth < steps:
                    break
                nth, steps = nth - steps, self.horizon
            first[count + 1] = first[count] + max(steps - nth, 0)
        # Goals beyond this episode's last step are found an episode later, at the least.
        late = np.maximum(left - (self.horizon - time), 0) * min(later, 1) * self.stays.min()
        return layer.value + first[left] + later * unseen @ self.stays - late

    def trace(self, layers: list[_Layer]) -> tuple[int, np.ndarray]:
        """The last layer's best value, and the cells that led to it."""
        index = int(layers[-1].value.argmax())
        best, cells = int(layers[-1].value[index]), []
        for layer in reversed(layers[1:]):
            cells.append(layer.cell[index])
            index = layer.parent[index]
        plan = self.xy[np.array(cells[::-1])]
        return best, plan.reshape(self.episodes, self.horizon, 2)
