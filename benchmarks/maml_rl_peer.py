"""One step of MAML with TRPO on 2-D navigation in eager PyTorch, as fast as one writes it there.

Tasks are a first axis everywhere (batched matrix products of each task's own weights), the
environment is an array of points that move all together, and one graph of the divergence serves
all Fisher products.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

Theta = list[torch.Tensor]  # w₁ b₁ w₂ b₂ w₃ b₃ log_std; adapted ones have an axis of tasks first

LIMIT, NEAR = 0.1, 0.01


class Setting(NamedTuple):
    """What both sides do."""

    tasks: int = 20
    trajectories: int = 20
    horizon: int = 100
    width: int = 100
    inner_lr: float = 0.1
    discount: float = 0.99
    radius: float = 0.01
    damping: float = 1e-3
    iterations: int = 10
    backtracks: int = 10
    curvature_every: int = 1  # the Fisher matrix is that of every n-th trajectory


class Paths(NamedTuple):
    """What was done in every task, `[tasks, K, time]`."""

    observation: torch.Tensor
    action: torch.Tensor
    reward: torch.Tensor
    log_prob: torch.Tensor
    real: torch.Tensor


class Gaussian(NamedTuple):
    """Independent coordinates, `[tasks, ..., 2]`."""

    mean: torch.Tensor
    log_std: torch.Tensor

    def log_prob(self, action: torch.Tensor) -> torch.Tensor:
        return torch.distributions.Normal(self.mean, self.log_std.exp()).log_prob(action).sum(-1)

    def divergence(self, other: "Gaussian") -> torch.Tensor:
        ratio = (2 * (self.log_std - other.log_std)).exp()
        z = (self.mean - other.mean) / other.log_std.exp()
        return (other.log_std - self.log_std + 0.5 * (ratio + z**2 - 1)).sum(-1)


def for_each(theta: Theta, tasks: int) -> Theta:
    """The same weights for every task."""
    return [p.expand(tasks, *p.shape) for p in theta]


def policy(theta: Theta, observation: torch.Tensor) -> Gaussian:
    """π(· | o) of every task's own weights, `[tasks, ..., 2]`."""
    *layers, log_std = theta
    x = observation.flatten(1, -2)
    for number in range(0, len(layers), 2):
        x = torch.baddbmm(layers[number + 1][:, None], x, layers[number])
        x = torch.relu(x) if number < len(layers) - 2 else x
    mean = LIMIT * x.view(observation.shape)
    spread = log_std + torch.tensor(LIMIT).log()
    return Gaussian(mean, spread.view(len(spread), *[1] * (mean.dim() - 2), 2).expand_as(mean))


@torch.no_grad()
def collect(theta: Theta, goals: torch.Tensor, setting: Setting) -> Paths:
    """K trajectories in every task."""
    position = torch.zeros(setting.tasks, setting.trajectories, 2)
    on = torch.ones(setting.tasks, setting.trajectories, dtype=torch.bool)
    steps = []
    for _ in range(setting.horizon):
        acting = policy(theta, position)
        action = acting.mean + acting.log_std.exp() * torch.randn_like(position)
        after = position + action.clamp(-LIMIT, LIMIT)
        away = after - goals[:, None]
        reward = torch.where(on, -away.norm(dim=-1), torch.zeros(()))
        steps.append((position, action, reward, acting.log_prob(action), on))
        position, on = after, on & ~(away.abs() < NEAR).all(-1)
    return Paths(*(torch.stack(each, 2) for each in zip(*steps, strict=True)))


@torch.no_grad()
def advantages(paths: Paths, setting: Setting) -> torch.Tensor:
    """What was earned from t on, less a linear baseline fitted to each task; λ is 1."""
    earned, after = [], torch.zeros(paths.reward.shape[:2])
    for time in reversed(range(setting.horizon)):
        after = paths.reward[..., time] + setting.discount * after
        earned.append(after)
    to_go = torch.stack(earned[::-1], -1)
    o = paths.observation.clamp(-10, 10)
    u = (torch.arange(setting.horizon) / 100.0)[:, None].expand(*o.shape[:-1], 1)
    x = torch.cat([o, o**2, u, u**2, u**3, torch.ones_like(u)], -1)
    flat = torch.where(paths.real[..., None], x, torch.zeros(())).flatten(1, 2)
    ridge = 1e-5 * flat.shape[1] * torch.eye(x.shape[-1])
    right = flat.mT @ torch.where(paths.real, to_go, torch.zeros(())).flatten(1)[..., None]
    weights = torch.linalg.solve(flat.mT @ flat + ridge, right)
    values = (x.flatten(1, 2) @ weights).view_as(to_go)
    count = paths.real.sum((1, 2), keepdim=True)
    found = torch.where(paths.real, to_go - values, torch.zeros(()))
    found = torch.where(paths.real, found - found.sum((1, 2), keepdim=True) / count, 0.0)
    return found / ((found**2).sum((1, 2), keepdim=True) / count).sqrt().clamp(min=1e-6)


def adapted(
    theta: Theta, paths: Paths, advantage: torch.Tensor, setting: Setting, *, again: bool
) -> Theta:
    """One step up E[ρ A] in every task; `again` keeps what differentiating it takes."""
    own = for_each(theta, setting.tasks)
    ratio = (policy(own, paths.observation).log_prob(paths.action) - paths.log_prob).exp()
    gain = torch.where(paths.real, ratio * advantage, 0.0).sum() / paths.reward.shape[1]
    gradient = torch.autograd.grad(gain, own, create_graph=again)
    return [p + setting.inner_lr / setting.horizon * g for p, g in zip(own, gradient, strict=True)]


def improve(
    theta: Theta, before: Paths, after: Paths, setting: Setting
) -> tuple[Theta, dict[str, float]]:
    """TRPO's step on stored trajectories."""
    theta = [p.detach().requires_grad_() for p in theta]
    inner, outer = advantages(before, setting), advantages(after, setting)
    count, n = after.real.sum(), setting.curvature_every

    def outputs(theta: Theta, *, again: bool, every: int = 1) -> Gaussian:
        some = Paths(*(x[:, ::every] for x in before))
        there = adapted(theta, some, inner[:, ::every], setting, again=again)
        return policy(there, after.observation[:, ::every])

    def surrogate(now: Gaussian) -> torch.Tensor:
        ratio = (now.log_prob(after.action) - after.log_prob).exp()
        return torch.where(after.real, ratio * outer, 0.0).sum() / count

    def divergence(old: Gaussian, now: Gaussian, every: int = 1) -> torch.Tensor:
        real = after.real[:, ::every]
        return torch.where(real, old.divergence(now), 0.0).sum() / real.sum()

    now = outputs(theta, again=True)
    old = Gaussian(*(x.detach() for x in now))
    gain = surrogate(now)
    gradient = flat(torch.autograd.grad(gain, theta, retain_graph=True))
    sample = now if n == 1 else outputs(theta, again=True, every=n)
    fixed = Gaussian(*(x.detach() for x in sample))
    slope = flat(torch.autograd.grad(divergence(fixed, sample, n), theta, create_graph=True))

    def product(v: torch.Tensor) -> torch.Tensor:
        found = torch.autograd.grad(slope @ v, theta, retain_graph=True)
        return flat(found) + setting.damping * v

    x, residual = conjugate_gradients(product, gradient, setting.iterations)
    step = (2 * setting.radius / (x @ (gradient - residual))).sqrt() * x
    for number in range(setting.backtracks):
        there = moved(theta, 0.8**number * step)
        found = outputs(there, again=False)
        with torch.no_grad():
            apart = divergence(old, found)
            good = surrogate(found) > gain and apart <= setting.radius
        if good:
            return there, {"gradient_norm": float(gradient.norm()), "kl": float(apart)}
    return theta, {"gradient_norm": float(gradient.norm()), "kl": 0.0}


def update(theta: Theta, setting: Setting) -> tuple[Theta, dict[str, float]]:
    """One step of training: sample tasks, act, adapt, act again, improve."""
    goals = torch.rand(setting.tasks, 2) - 0.5
    before = collect(for_each(theta, setting.tasks), goals, setting)
    theta = [p.detach().requires_grad_() for p in theta]
    own = adapted(theta, before, advantages(before, setting), setting, again=False)
    after = collect(own, goals, setting)
    theta, metrics = improve(theta, before, after, setting)
    means = {"return_before": before.reward, "return": after.reward}
    return theta, metrics | {name: float(r.sum(-1).mean()) for name, r in means.items()}


def conjugate_gradients(
    product: Callable[[torch.Tensor], torch.Tensor], b: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """x with A x ≈ b, and b − A x."""
    x, r, p = torch.zeros_like(b), b, b
    for _ in range(steps):
        ap = product(p)
        length = (r @ r) / (p @ ap)
        x, after = x + length * p, r - length * ap
        p = after + (after @ after) / (r @ r) * p
        r = after
    return x, r


def flat(tensors: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return torch.cat([t.reshape(-1) for t in tensors])


def moved(theta: Theta, step: torch.Tensor) -> Theta:
    parts = step.split([p.numel() for p in theta])
    pairs = zip(theta, parts, strict=True)
    return [(p + s.view_as(p)).detach().requires_grad_() for p, s in pairs]
