"""RL² on Bernoulli bandits in eager PyTorch: the same GRU, batch and PPO, as one writes it there.

The bandits are a NumPy array stepped all together; acting goes step by step through a `GRUCell`,
and learning runs the whole trial through the fused `GRU` of the same weights.
"""

from typing import NamedTuple

import numpy as np
import torch


class Setting(NamedTuple):
    """What both sides do."""

    arms: int = 5
    pulls: int = 100
    trials: int = 256
    width: int = 64
    epochs: int = 4
    minibatches: int = 4
    discount: float = 1.0
    decay: float = 0.95
    clip: float = 0.2
    entropy_weight: float = 0.003


class Policy(torch.nn.Module):
    """A GRU with an actor and a critic."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.memory = torch.nn.GRU(setting.arms + 3, setting.width, batch_first=True)
        self.actor = torch.nn.Linear(setting.width, setting.arms)
        self.critic = torch.nn.Linear(setting.width, 1)
        for layer in (self.actor, self.critic):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def cell(self) -> torch.nn.GRUCell:
        """One step of the memory, sharing its weights."""
        cell = torch.nn.GRUCell(self.memory.input_size, self.memory.hidden_size)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(cell, name, getattr(self.memory, f"{name}_l0"))
        return cell

    def forward(self, seen: torch.Tensor) -> tuple[torch.distributions.Categorical, torch.Tensor]:
        hidden, _ = self.memory(seen)
        heads = self.actor(hidden), self.critic(hidden)[..., 0]
        return torch.distributions.Categorical(logits=heads[0]), heads[1]


class Collected(NamedTuple):
    """Trials, `[trials, time]`."""

    seen: torch.Tensor
    action: torch.Tensor
    log_prob: torch.Tensor
    value: torch.Tensor
    reward: torch.Tensor


def collect(policy: Policy, setting: Setting, rng: np.random.Generator) -> Collected:
    """Act in fresh bandits."""
    chances = rng.uniform(size=(setting.trials, setting.arms))
    rows = np.arange(setting.trials)
    cell, hidden = policy.cell(), torch.zeros(setting.trials, setting.width)
    seen = torch.zeros(setting.trials, setting.arms + 3)
    seen[:, -1] = 1.0  # the first step
    steps = []
    with torch.no_grad():
        for _ in range(setting.pulls):
            hidden = cell(seen, hidden)
            acting = torch.distributions.Categorical(logits=policy.actor(hidden))
            action = acting.sample()
            paid = rng.random(setting.trials) < chances[rows, action.numpy()]
            reward = torch.from_numpy(paid.astype(np.float32))
            value = policy.critic(hidden)[:, 0]
            steps.append((seen, action, acting.log_prob(action), value, reward))
            seen = torch.zeros(setting.trials, setting.arms + 3)
            seen[rows, action] = 1.0
            seen[:, -3], seen[:, -2] = reward, 1.0  # the reward, and that the episode is over
    return Collected(*(torch.stack(each, 1) for each in zip(*steps, strict=True)))


def advantages(paths: Collected, setting: Setting) -> torch.Tensor:
    """Generalised advantages over the whole trial."""
    found, last = torch.zeros_like(paths.reward), torch.zeros(len(paths.reward))
    after = torch.zeros(len(paths.reward))
    for time in reversed(range(setting.pulls)):
        delta = paths.reward[:, time] + setting.discount * after - paths.value[:, time]
        last = delta + setting.discount * setting.decay * last
        found[:, time], after = last, paths.value[:, time]
    return found


def update(
    policy: Policy, optimiser: torch.optim.Optimizer, setting: Setting, rng: np.random.Generator
) -> float:
    """One step of training: the mean reward of a trial before it."""
    paths = collect(policy, setting, rng)
    advantage = advantages(paths, setting)
    target = advantage + paths.value
    spread = target.std()
    advantage = (advantage - advantage.mean()) / advantage.std()
    for _ in range(setting.epochs):
        for rows in torch.arange(setting.trials).view(-1, setting.minibatches).T:
            acting, value = policy(paths.seen[rows])
            ratio = (acting.log_prob(paths.action[rows]) - paths.log_prob[rows]).exp()
            clipped = ratio.clamp(1 - setting.clip, 1 + setting.clip)
            gain = torch.minimum(ratio * advantage[rows], clipped * advantage[rows])
            error = 0.5 * ((value - target[rows]) / spread) ** 2
            entropy = acting.entropy()
            loss = (-gain + 0.5 * error - setting.entropy_weight * entropy).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimiser.step()
    return float(paths.reward.sum(1).mean())
