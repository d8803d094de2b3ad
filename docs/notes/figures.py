"""The figures of the notes, from short runs: `python docs/notes/figures.py`.

Writes matching.png, prototypes.png, maml.png, transfer.png and resets.png beside this file. Every
key and every number of steps stands here; the captions in the pages repeat them.
"""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

import quickstudy as qs
from quickstudy.evaluation.trials import acting, evaluate_earnings
from quickstudy.rl.policy import between_episodes, between_tasks, never, no_beginnings

HERE = Path(__file__).parent
SEED = 0
COLOURS = ["#1f4e9c", "#c8641e", "#1a7f37", "#8a3ffc", "#b8336a"]
INK, QUIET = "#222222", "#9a9a9a"


def keys(n: int) -> Any:
    """`n` keys, the same ones for every figure."""
    return jax.random.split(jax.random.key(SEED), n)


def save(figure: Figure, name: str) -> None:
    """Write a PNG beside this file."""
    FigureCanvasAgg(figure)
    figure.savefig(HERE / name, dpi=110, metadata={"Software": None})


def glyph_learner(learner: qs.Learner, shots: int, steps: int, key: Any) -> Any:
    """The learner trained on 10-way tasks of printed characters, and the tasks of unseen ones."""
    train, validation = (qs.glyphs(s, ways=10, shots=shots) for s in ("train", "validation"))
    optimiser = optax.adam(3e-3)
    plan = qs.MetaPlan(steps=steps, meta_batch=2, optimiser=optimiser, validate_every=steps)
    trained = qs.train(learner, train, validation=validation, plan=plan, key=key)
    return trained, qs.glyphs("test", ways=5, shots=shots, queries=1)


# --- Matching: who attends to whom ---


def matching() -> None:
    """Attention of five queries over a support set of ten, by cosines with s = 10 and s = 1."""
    model_key, train_key, test_key, task_key = keys(4)
    embed = qs.Conv4((28, 28, 1), filters=16, downsample="stride", key=model_key)
    learner = qs.Matching(embed, sharpness=10.0)
    learner, tasks = glyph_learner(learner, shots=2, steps=400, key=train_key)
    task = sorted_by_class(tasks.sample(task_key))
    figure = Figure(figsize=(9.4, 3.4))
    panels = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.075, right=0.995, top=0.76, bottom=0.06, wspace=0.2)
    for panel, sharpness in zip(panels, (10.0, 1.0), strict=True):
        sharp = replace(learner, sharpness=sharpness)
        accuracy = qs.evaluate(sharp, tasks, episodes=600, key=test_key).after
        predictor = sharp.adapt(task.support)
        attention_panel(panel, np.asarray(predictor.attention(task.query.x)), task)
        right = f"{100 * accuracy.mean:.0f} ± {100 * accuracy.interval:.0f} % of queries right"
        title = f"s = {sharpness:.0f}: {right} over 600 tasks"
        panel.set_title(title, fontsize=10, pad=40)
    save(figure, "matching.png")


def sorted_by_class(task: qs.Task) -> qs.Task:
    """The same task with each set in the order of its classes."""

    def ordered(examples: qs.Examples) -> qs.Examples:
        order = jnp.argsort(examples.y)
        return qs.Examples(examples.x[order], examples.y[order], examples.ways)

    return qs.Task(ordered(task.support), ordered(task.query))


def attention_panel(axes: Any, attention: np.ndarray, task: qs.Task) -> None:
    """A heat map with the images of queries on its left and of the support set above it."""
    n, k = attention.shape
    axes.imshow(attention, cmap="Blues", vmin=0, vmax=1)
    for i in range(n):
        for j in range(k):
            share = attention[i, j]
            text = f"{share:.2f}".removeprefix("0")
            axes.text(j, i, text, ha="center", va="center", fontsize=8,
                      color="white" if share > 0.5 else INK)  # fmt: skip
        thumbnail(axes, task.query.x[i], -1.15, i)
    for j in range(k):
        thumbnail(axes, task.support.x[j], j, -1.15)
    for edge in range(2, k, 2):
        axes.axvline(edge - 0.5, color=QUIET, lw=0.8)
    axes.set_xlim(-0.5, k - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("support examples, two of each class")
    axes.set_ylabel("queries", labelpad=34)


def thumbnail(axes: Any, image: Any, x: float, y: float) -> None:
    """A character drawn beside the axes, at a place in their coordinates."""
    box = axes.inset_axes((x - 0.45, y - 0.45, 0.9, 0.9), transform=axes.transData)
    box.imshow(1 - np.asarray(image)[..., 0], cmap="gray", vmin=0, vmax=1)
    box.set_axis_off()


# --- Prototypes: classes in the plane ---


def prototypes() -> None:
    """An embedding into the plane, the means of five unseen classes, and what is near each."""
    body_key, head_key, train_key, task_key = keys(4)
    body = qs.Conv4((28, 28, 1), filters=16, downsample="stride", key=body_key)
    width = jax.eval_shape(body, jnp.ones((1, 28, 28, 1))).shape[-1]
    learner = qs.Prototypical(qs.Headed(body, qs.Linear.create(width, 2, key=head_key)))
    learner, tasks = glyph_learner(learner, shots=5, steps=400, key=train_key)
    tasks = tasks.with_shape(queries=5)
    accuracy = qs.evaluate(learner, tasks, episodes=600, key=task_key).after
    task = tasks.sample(task_key)
    predictor = learner.adapt(task.support)
    support, query = (np.asarray(predictor.embed(s.x)) for s in (task.support, task.query))
    centres, y = np.asarray(predictor.centres), np.asarray(task.support.y)

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots()
    points = np.concatenate([support, query])
    low, high = points.min(0), points.max(0)
    low, high = low - 0.08 * (high - low), high + 0.08 * (high - low)
    regions(axes, predictor.similarity, centres, low, high)
    for c, colour in enumerate(COLOURS):
        for point in support[y == c]:
            axes.plot(*np.stack([point, centres[c]]).T, color=colour, lw=0.7, alpha=0.6)
        axes.scatter(*support[y == c].T, s=26, color=colour)
        axes.scatter(*query[np.asarray(task.query.y) == c].T, s=34, color=colour, marker="x")
        axes.scatter(*centres[c], s=170, color=colour, marker="*", edgecolor="white", zorder=3)
    axes.scatter([], [], s=26, color=INK, label="support, f(x_k)")
    axes.scatter([], [], s=120, color=INK, marker="*", label="prototype c_y, their mean")
    axes.scatter([], [], s=34, color=INK, marker="x", label="query, in its true colour")
    axes.legend(fontsize=8, loc="best")
    axes.set_title(
        f"five unseen characters in the plane; {100 * accuracy.mean:.0f} ± "
        f"{100 * accuracy.interval:.0f} % of queries right over 600 tasks",
        fontsize=9,
    )
    axes.set_xlabel("f(x), first number")
    axes.set_ylabel("f(x), second number")
    save(figure, "prototypes.png")


def regions(axes: Any, similarity: Any, centres: Any, low: Any, high: Any) -> None:
    """Colour every point of the plane by the class that it would be given."""
    x, y = (np.linspace(a, b, 240, dtype=np.float32) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    chosen = np.asarray(similarity(grid, jnp.asarray(centres))).argmax(-1).reshape(240, 240)
    extent = (low[0], high[0], low[1], high[1])
    axes.imshow(chosen, origin="lower", extent=extent, cmap=ListedColormap(COLOURS), alpha=0.13,
                aspect="auto", interpolation="nearest", vmin=0, vmax=4)  # fmt: skip


# --- MAML: θ between the tasks' optima ---


class Plane(eqx.Module):
    """x ↦ x · θ with two parameters, so that θ can be drawn."""

    theta: Any

    def __call__(self, x: Any) -> Any:
        """Outputs `[n, 1]`."""
        return x @ self.theta[:, None]


OPTIMA = np.array([[-2.0, -1.0], [2.2, -1.2], [0.4, 2.2]], np.float32)
CURVATURES = np.array([[1.7, 1.5], [1.5, 0.3], [0.35, 0.6]], np.float32)


def quadratic_tasks() -> qs.Task:
    """Three tasks with the loss Σ_d a_d (θ_d − w_d)², as regression on two points each."""
    roots = np.sqrt(2 * CURVATURES)
    x = np.stack([np.diag(root) for root in roots])
    examples = qs.Examples(jnp.asarray(x), jnp.asarray(x @ OPTIMA[:, :, None]))
    return qs.Task(examples, examples)


def descended(learner: qs.Learner, task: qs.Task, steps: int, rate: float) -> Any:
    """The learner after each of `steps` outer steps of plain descent, stacked."""
    optimiser = optax.sgd(rate)

    def step(learner: Any, _: None) -> tuple[Any, Any]:
        gradients, _ = jax.vmap(lambda task: learner.meta_gradient(task))(task)
        mean = jax.tree.map(lambda g: jnp.mean(g, 0), gradients)
        updates, _ = optimiser.update(mean, optimiser.init(mean))
        return optax.apply_updates(learner, updates), learner

    return jax.lax.scan(step, learner, length=steps)[1]


def maml() -> None:
    """The path of θ under MAML and under joint training, and one inner step from each end."""
    task = quadratic_tasks()
    figure = Figure(figsize=(9.4, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    start = Plane(jnp.array([-3.2, 2.4]))
    for axes, kind in zip(panels, (qs.MAML, qs.JointFineTuning), strict=True):
        learner = kind(start, inner_lr=0.25, steps=1, loss=qs.squared_error)
        path = descended(learner, task, steps=400, rate=0.2)
        end = jax.tree.map(lambda x: x[-1], path)
        adapted = jax.vmap(lambda task, end=end: end.adapt(task.support))(task)
        losses = jax.vmap(lambda phi, q: qs.squared_error(phi(q.x), q.y))(adapted, task.query)
        plane_panel(axes, np.asarray(path.model.theta), np.asarray(adapted.theta))
        name = "MAML" if kind is qs.MAML else "trained on all tasks as one"
        title = f"{name}: mean loss {float(losses.mean()):.2f} after one step"
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("θ, first number")
    panels[0].set_ylabel("θ, second number")
    entries = panels[0].get_legend_handles_labels()
    figure.legend(*entries, fontsize=8, loc="outside lower center", ncols=4)
    save(figure, "maml.png")


def plane_panel(axes: Any, path: np.ndarray, adapted: np.ndarray) -> None:
    """The tasks' losses as contours, the path of θ, and arrows from its end to each φ_i."""
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)
    for c, (centre, curvature) in enumerate(zip(OPTIMA, CURVATURES, strict=True)):
        for level in (0.15, 0.6):
            ring = centre + circle * np.sqrt(level / curvature)
            axes.plot(*ring.T, color=COLOURS[c], lw=0.8, alpha=0.6)
        axes.scatter(*centre, color=COLOURS[c], marker="*", s=110, zorder=3)
        axes.annotate("", adapted[c], path[-1], zorder=4,
                      arrowprops={"arrowstyle": "-|>", "color": COLOURS[c], "lw": 1.6})  # fmt: skip
        axes.annotate(f"optimum {c + 1}", centre, (0, -14), textcoords="offset points",
                      fontsize=8, ha="center", color=COLOURS[c],
                      bbox={"color": "white", "pad": 0.5})  # fmt: skip
    axes.plot(*path.T, color=QUIET, lw=1.2, label="θ in training")
    axes.scatter(*path[0], color="white", edgecolor=INK, s=40, zorder=5, label="θ at the start")
    axes.scatter(*path[-1], color=INK, s=46, zorder=5, label="θ after 400 steps")
    axes.plot([], [], color=INK, marker=">", ms=5, lw=1.6, label="one inner step, −α ∇L_i(θ)")
    axes.set_aspect("equal")
    axes.set_xlim(-3.9, 3.5)
    axes.set_ylim(-2.9, 3.6)


# --- Transfer: a sinusoid before and after 1, 5 and 10 steps ---

SHOWN = (0, 1, 5, 10)


def transfer() -> None:
    """One test task under MAML and under a pre-trained network, and the mean error of many."""
    model_key, train_key, test_key, task_key = keys(4)
    tasks = qs.Sinusoid(shots=10)
    plan = qs.MetaPlan(steps=10_000, meta_batch=10, validate_every=1000)
    task, truth = tasks.sample(task_key), tasks.truth(task_key)
    x = jnp.linspace(-5, 5, 200)[:, None]
    figure = Figure(figsize=(9.4, 4.4))
    panels = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.05, right=0.99, top=0.93, bottom=0.31, wspace=0.06)
    for axes, (name, kind, rate) in zip(
        panels,
        (("MAML", qs.MAML, 0.01), ("pre-trained on all tasks", qs.JointFineTuning, 3e-4)),
        strict=True,
    ):
        model = qs.MLP(1, (40, 40, 1), key=model_key)
        learner = kind(model, inner_lr=rate, steps=1, loss=qs.squared_error)
        learner = qs.train(learner, tasks, validation=tasks, plan=plan, key=train_key)
        errors = qs.evaluate(learner, tasks, episodes=600, key=test_key).path
        passed = learner.adapt_by_steps(task.support, max(SHOWN))
        curves = np.asarray(jax.lax.map(lambda predictor: predictor(x), passed))
        axes.plot(x, truth(x), color=INK, lw=1.2, ls=":", label="the task's wave")
        for shade, j in zip((0.25, 0.5, 0.75, 1.0), SHOWN, strict=True):
            colour = QUIET if j == 0 else COLOURS[0]
            count, e = f"{j} step" if j == 1 else f"{j} steps", errors[j]
            label = f"{count}: {e.mean:.2f} ± {e.interval:.2f}"
            axes.plot(x, curves[j], color=colour, alpha=1 if j == 0 else shade, label=label)
        axes.scatter(task.support.x, task.support.y, color=COLOURS[1], s=22, zorder=3,
                     label="support set")  # fmt: skip
        axes.set_title(f"{name}, α = {rate}", fontsize=10)
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2,
                    title="mean squared error over 600 tasks", title_fontsize=8)  # fmt: skip
        axes.set_ylim(-6.5, 6.5)
        axes.set_xlabel("x")
    save(figure, "transfer.png")


# --- Resets: what clearing the memory between tasks is for ---

RULES = {
    "between tasks": (between_tasks, 1),
    "between episodes": (between_episodes, 1),
    "never": (never, 2),  # MDPs in a row: another one's memories must be there to leak
}


def resets() -> None:
    """The reward of every pull and of every episode in GridNavi, for policies that clear their
    memory by three rules and are not told where a trial begins."""
    families = (("bandits of 5 arms", "pull", qs.Trial(qs.Bandit(arms=5), 10), 400, 1e-3),
                ("GridNavi", "episode", qs.Trial(qs.GridNavi(), 4), 200, 1e-2))  # fmt: skip
    figure = Figure(figsize=(9.4, 3.4), layout="constrained")
    for axes, (title, stage, *family) in zip(figure.subplots(1, 2), families, strict=True):
        for (name, rule), colour in zip(RULES.items(), COLOURS, strict=False):
            found = remembering(*family, *rule)
            mean, interval = (np.array([getattr(e, what) for e in found.episodes])
                              for what in ("mean", "interval"))  # fmt: skip
            number, total = np.arange(1, len(mean) + 1), found.total
            label = f"{name}: {total.mean:.2f} ± {total.interval:.2f}"
            axes.plot(number, mean, "o-", ms=3, color=colour, label=label)
            axes.fill_between(number, mean - interval, mean + interval, color=colour, alpha=0.2)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(stage)
        axes.set_ylabel(f"reward of the {stage}")
        axes.set_xticks(number)
        axes.legend(fontsize=8, title="cleared, and the trial's reward", title_fontsize=8)
    save(figure, "resets.png")


def remembering(
    trial: qs.Trial, steps: int, entropy_weight: float, forgets: Any, in_a_row: int
) -> Any:
    """What a GRU earns in 4,000 trials, trained on 256 in each step."""
    model_key, train_key, test_key = keys(3)
    trial = dataclasses.replace(trial, in_a_row=in_a_row)
    memory = qs.GRU.create(trial.inputs, 64, key=model_key)
    policy = qs.MetaPolicy.create(trial, memory, forgets=forgets, told=no_beginnings)
    rate = optax.cosine_decay_schedule(3e-3, 16 * steps)
    optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(rate))
    ppo = qs.PPO(optimiser, entropy_weight=entropy_weight)
    rl2 = qs.RL2(policy, trial, ppo, 256, 1000)
    trained = qs.fit(rl2, qs.Plan(steps, validate_every=steps), key=train_key).best
    earn = acting(trained, trial)
    return evaluate_earnings(earn, trials=4000, key=test_key).policy


if __name__ == "__main__":
    qs.set_up_devices()
    for draw in (maml, transfer, matching, prototypes, resets):
        draw()
