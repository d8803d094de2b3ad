"""Recipes of policies in environments that are stepped on the host: what they share."""

import abc
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quickstudy.errors import BadInput
from quickstudy.recipes.maml_rl import WithMAML
from quickstudy.recipes.meta_rl import MetaRL, WithRL2
from quickstudy.recipes.recipe import Split

if TYPE_CHECKING:
    from quickstudy.envs.host_family import HostFamily
    from quickstudy.evaluation.trials import Reference
    from quickstudy.rl.host_maml import HostMAMLRL
    from quickstudy.rl.host_rl2 import HostRL2
    from quickstudy.rl.trial import Trial


@dataclass(frozen=True)
class OnHost(MetaRL):
    """Act on the host. A recipe says where, by `environment`, and is done."""

    processes: int = 0
    """Worker processes that step the environments; 0 steps them in the process that trains."""

    @abc.abstractmethod
    def environment(self, split: Split) -> "HostFamily":
        """The family of MDPs of a split."""

    def hosted(
        self,
        make: Callable[[], Any],
        sample_task: Callable[[Any], Any],
        set_task: Callable[[Any, Any], None],
        *,
        copies: int,
        horizon: int,
    ) -> "HostFamily":
        """A family in as many processes as the recipe says; see `HostEnvironment`."""
        from quickstudy.envs.host import HostEnvironment
        from quickstudy.envs.host_family import HostFamily
        from quickstudy.envs.workers import HostWorkers

        made = (make, sample_task, set_task, copies, horizon)
        if self.processes == 0:
            return HostFamily(HostEnvironment(*made))
        return HostFamily(HostWorkers(*made, processes=self.processes))

    def closing(self, algorithm: Any) -> AbstractContextManager[Any]:
        """Ends the host's processes."""
        return _closing(algorithm.environment)

    def earning(self, learned: Any, split: Split) -> "Reference":
        """What was learned, acting on the host, which is closed afterwards."""
        from quickstudy.evaluation.trials import acting

        trial = self.trial(split)
        return _closed(acting(learned, trial), trial.environment)

    def references(self, split: Split) -> "Mapping[str, Reference]":
        """Random actions, on a host of their own."""
        from quickstudy.evaluation.trials import acting
        from quickstudy.oracles.simple import Random

        trial = self.trial(split)
        return {"random": _closed(acting(Random(trial.environment), trial), trial.environment)}

    def filming(self, learned: Any, trial: "Trial", key: Any, number: int) -> Any:
        """What `quickstudy.experiments.pictures.film` makes of a trial. The key is consumed."""
        from quickstudy.experiments.pictures.film import film

        return film(learned, trial, key, number)

    @property
    def test_trials(self) -> int:
        """Test trials: they cost more than compiled ones."""
        return 200


@dataclass(frozen=True)
class RL2OnHost(WithRL2, OnHost):
    """RL² with trials on the host."""

    meta_batch: int = 64
    """Trials per step; the host steps as many environments side by side as it has copies."""
    validation_episodes: int = 64
    validate_every: int = 20

    @property
    def in_a_row(self) -> int:
        """One.

        Raises:
            BadInput: a memory that is never cleared.
        """
        if self.forgets == "never":
            raise BadInput(
                f"forgets is 'never', and in {self.name} every trial begins with a fresh memory; "
                "give --forgets between-tasks or between-episodes, or take a family that JAX "
                "compiles, as rl2-bandit"
            )
        return 1

    def algorithm(self) -> "HostRL2":
        """Collect on the host, and improve."""
        from quickstudy.rl.host_rl2 import HostRL2

        return HostRL2(self.rl2())


@dataclass(frozen=True)
class MAMLOnHost(WithMAML, OnHost):
    """MAML for RL with trajectories on the host; its copies are a multiple of `trajectories`."""

    def algorithm(self) -> "HostMAMLRL":
        """Adapt and act on the host, and improve."""
        from quickstudy.rl.host_maml import HostMAMLRL

        return HostMAMLRL(self.maml())

    def earning(self, learned: Any, split: Split) -> "Reference":
        """Rewards before and after each update."""
        from quickstudy.rl.host_adaptation import host_update_returns

        policy, rule = learned
        adaptation, updates = self.adaptation(rule, split), self.episodes - 1
        return _closed(
            lambda key, trials: host_update_returns(policy, adaptation, updates, key, trials),
            adaptation.environment,
        )

    def filming(self, learned: Any, trial: "Trial", key: Any, number: int) -> Any:
        """One episode before and after each update, in the task of that number."""
        import jax

        from quickstudy.experiments.pictures.film import film
        from quickstudy.rl.host_adaptation import host_adaptations
        from quickstudy.rl.maml import replayed
        from quickstudy.rl.trial import Trial

        policy, rule = learned
        adaptation = replace(self.adaptation(rule, "test"), environment=trial.environment)
        with _closing(trial.environment):
            found, _ = host_adaptations(policy, adaptation, self.episodes - 1, key, 1, first=number)
        policies = replayed(policy, adaptation, jax.tree.map(lambda x: x[0], found))
        one = Trial(trial.environment, 1)
        films = [film(policy, one, key, number) for policy in policies]
        return tuple([part for made in films for part in made[which]] for which in (0, 1))

    @property
    def test_trials(self) -> int:
        """Test tasks, as many as the paper's: each takes K episodes before and after updates."""
        return 40


def _closing(family: Any) -> Any:
    """Closes the family's host at the block's end: its processes would outlive their work."""
    return closing(family.host)


def _closed(earn: "Reference", family: Any) -> "Reference":
    """The same, with the family's host closed whenever it has been asked."""

    def returns(key: Any, trials: int) -> Any:
        with _closing(family):
            return earn(key, trials)

    return returns
