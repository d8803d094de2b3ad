"""The same meta-step in PyTorch, the ways people write it: every peer that is installed.

Images come as `[tasks, n, 1, h, w]`. Every function returns the mean query loss and its gradient
in the order of `ConvNet.parameters()`.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

Arrays = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
MetaStep = Callable[[], tuple[torch.Tensor, list[torch.Tensor]]]


@dataclass(frozen=True)
class Inner:
    """The inner loop."""

    rate: float
    steps: int


class ConvNet(nn.Module):
    """Four convolutions, batch statistics, ReLU, halving by pooling or stride, a linear head."""

    def __init__(self, ways: int, downsample: str, filters: int = 64):
        super().__init__()
        self.pool = downsample == "pool"
        stride = 1 if self.pool else 2
        sizes = (1, filters, filters, filters)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(size, filters, 3, stride, padding=1, bias=False) for size in sizes
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(filters, track_running_stats=False) for _ in sizes
        )
        self.head = nn.Linear(filters, ways)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.relu(norm(convolution(x)))
            x = functional.max_pool2d(x, 2) if self.pool else x
        return self.head(x.flatten(1) if self.pool else x.mean((2, 3)))


class Perceptron(nn.Module):
    """The sinusoid network: two hidden layers of 40."""

    def __init__(self, hidden: int = 40):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, hidden), nn.Linear(hidden, hidden)])
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = functional.relu(layer(x))
        return self.head(x)


def meta_steps(
    model: nn.Module, loss: Callable[..., torch.Tensor], tasks: Arrays, inner: Inner
) -> dict[str, MetaStep]:
    """One meta-step for every peer that can be imported."""
    steps: dict[str, MetaStep] = {
        "eager loop": lambda: eager_loop(model, loss, tasks, inner),
        "torch.func": lambda: functional_vmap(model, loss, tasks, inner),
    }
    optional = {"higher": with_higher, "torchopt": with_torchopt, "learn2learn": with_learn2learn}
    for name, step in optional.items():
        if importlib.util.find_spec(name):
            steps[name] = lambda step=step: step(model, loss, tasks, inner)
    return steps


def on_one_thread(step: MetaStep) -> MetaStep:
    """The same, on one thread: small tensors can be faster so."""

    def run() -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return step()
        finally:
            torch.set_num_threads(before)

    return run


def eager_loop(model: nn.Module, loss: Any, tasks: Arrays, inner: Inner) -> Any:
    """Autograd with `create_graph=True`, task by task."""
    start = dict(model.named_parameters())
    total, count = torch.zeros(()), tasks[0].shape[0]
    gradients = [torch.zeros_like(p) for p in start.values()]
    for xs, ys, xq, yq in zip(*tasks, strict=True):
        fast = start
        for _ in range(inner.steps):
            value = loss(functional_call(model, fast, (xs,)), ys)
            slopes = torch.autograd.grad(value, list(fast.values()), create_graph=True)
            pairs = zip(fast.items(), slopes, strict=True)
            fast = {name: p - inner.rate * g for (name, p), g in pairs}
        value = loss(functional_call(model, fast, (xq,)), yq) / count
        slopes = torch.autograd.grad(value, list(start.values()))
        gradients = [a + b for a, b in zip(gradients, slopes, strict=True)]
        total = total + value.detach()
    return total, gradients


def functional_vmap(model: nn.Module, loss: Any, tasks: Arrays, inner: Inner) -> Any:
    """`torch.func`: the gradient of a `vmap` over tasks."""
    start = {name: p.detach() for name, p in model.named_parameters()}

    def value(parameters: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return loss(functional_call(model, parameters, (x,)), y)

    def task_loss(parameters: Any, xs: Any, ys: Any, xq: Any, yq: Any) -> torch.Tensor:
        for _ in range(inner.steps):
            slopes = grad(value)(parameters, xs, ys)
            parameters = {name: p - inner.rate * slopes[name] for name, p in parameters.items()}
        return value(parameters, xq, yq)

    def mean(parameters: Any) -> tuple[torch.Tensor, torch.Tensor]:
        each = vmap(task_loss, in_dims=(None, 0, 0, 0, 0))(parameters, *tasks)
        return each.mean(), each.mean()

    gradients, result = grad(mean, has_aux=True)(start)
    return result, list(gradients.values())


def with_higher(model: nn.Module, loss: Any, tasks: Arrays, inner: Inner) -> Any:
    """`higher.innerloop_ctx`, as in its own MAML example."""
    import higher

    model.zero_grad()
    optimiser = torch.optim.SGD(model.parameters(), lr=inner.rate)
    total, count = torch.zeros(()), tasks[0].shape[0]
    for xs, ys, xq, yq in zip(*tasks, strict=True):
        with higher.innerloop_ctx(model, optimiser, copy_initial_weights=False) as (fast, descent):
            for _ in range(inner.steps):
                descent.step(loss(fast(xs), ys))
            value = loss(fast(xq), yq) / count
            value.backward()
            total = total + value.detach()
    return total, [p.grad.clone() for p in model.parameters()]


def with_torchopt(model: nn.Module, loss: Any, tasks: Arrays, inner: Inner) -> Any:
    """`torchopt.MetaSGD`, as in its own MAML example."""
    import torchopt

    model.zero_grad()
    start = torchopt.extract_state_dict(model, by="reference")
    descent = torchopt.MetaSGD(model, lr=inner.rate)
    descent_start = torchopt.extract_state_dict(descent)
    leaves = list(model.parameters())
    total, count = torch.zeros(()), tasks[0].shape[0]
    for xs, ys, xq, yq in zip(*tasks, strict=True):
        for _ in range(inner.steps):
            descent.step(loss(model(xs), ys))
        value = loss(model(xq), yq) / count
        value.backward()
        total = total + value.detach()
        torchopt.recover_state_dict(model, start)
        torchopt.recover_state_dict(descent, descent_start)
    return total, [p.grad.clone() for p in leaves]


def with_learn2learn(model: nn.Module, loss: Any, tasks: Arrays, inner: Inner) -> Any:
    """`learn2learn.algorithms.MAML`."""
    import learn2learn

    model.zero_grad()
    maml = learn2learn.algorithms.MAML(model, lr=inner.rate, first_order=False)
    total, count = torch.zeros(()), tasks[0].shape[0]
    for xs, ys, xq, yq in zip(*tasks, strict=True):
        fast = maml.clone()
        for _ in range(inner.steps):
            fast.adapt(loss(fast(xs), ys))
        value = loss(fast(xq), yq) / count
        value.backward()
        total = total + value.detach()
    return total, [p.grad.clone() for p in model.parameters()]
