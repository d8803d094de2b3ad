"""Whether episodes succeeded, where environments tell it in `info`."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from quickstudy.envs.host import Host, HostStep
from quickstudy.envs.spaces import Spaces


class Successes(Host):
    """A host that notes in which episodes success was told, at any step.

    Args:
        host: steps the environments.

    Example:
        >>> noting = Successes(poles)  # doctest: +SKIP
        >>> paths = host_rollouts(policy, trial, key, 100, through=noting)  # doctest: +SKIP
        >>> noting.of_trials(100, episodes=2)  # None: a pole tells of no success  # doctest: +SKIP
    """

    def __init__(self, host: Host) -> None:
        self.host, self.copies, self.horizon = host, host.copies, host.horizon
        self.make, self.sample_task, self.set_task = host.make, host.sample_task, host.set_task
        self.begun: list[list[Any]] = []
        self.episode = np.zeros(host.copies, int)

    @property
    def spaces(self) -> Spaces:
        """The host's."""
        return self.host.spaces

    def begin(
        self, seed: int, first: int = 0, each: int = 1, visit: int = 0
    ) -> Float32[np.ndarray, "copies ..."]:
        """As the host, and begin to note."""
        self.begun.append([np.full(self.copies, np.nan)])
        self.episode = np.zeros(self.copies, int)
        return self.host.begin(seed, first, each, visit)

    def step(self, actions: np.ndarray) -> HostStep:
        """As the host, and note."""
        after, episodes = self.host.step(actions), self.begun[-1]
        while len(episodes) <= self.episode.max():
            episodes.append(np.full(self.copies, np.nan))
        for number in np.unique(self.episode):
            here = self.episode == number
            # Success at any step counts; not-a-number is for what was never told.
            episodes[number][here] = np.fmax(episodes[number], after.success)[here]
        self.episode = self.episode + after.done
        return after

    def close(self) -> None:
        """Close the host."""
        self.host.close()

    def of_trials(self, trials: int, episodes: int) -> Float[np.ndarray, "trials episodes"] | None:
        """Which episodes of the trials since the first `begin` succeeded, as 1 and 0; `None` where
        an environment did not tell."""
        found = [np.stack(one[:episodes], 1) for one in self.begun]
        return _told(np.concatenate(found)[:trials])

    def of_updates(
        self, tasks: int, stages: int, k: int
    ) -> Float[np.ndarray, "tasks stages k"] | None:
        """The same of the first episodes of K trajectories for each task, before and after every
        update, as `host_adaptations` begins them."""
        firsts = [one[0].reshape(-1, k) for one in self.begun]
        turns = [np.stack(firsts[n : n + stages], 1) for n in range(0, len(firsts), stages)]
        return _told(np.concatenate(turns)[:tasks])


def _told(successes: np.ndarray) -> Any:
    return None if np.isnan(successes).any() else successes
