"""Print the tables of `sinusoids.sh`, `fonts.sh` and others.

    python results/tables.py omniglot

prints one from the runs that are kept in results/runs/omniglot, and

    python results/tables.py omniglot runs/omniglot

from the folders that the script filled. `python results/tables.py` alone writes all that README.md
holds between its marks anew. Tables: omniglot, sinusoids, fonts, emoji, rl2 and
gradient-or-memory; rl2-seeds has a row for all seeds of a run.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kept
from papers import RL2, learner_of, of_run
from row import flat, written

Run = dict[str, Any]


def minutes(run: Run) -> str:
    """How long the training took."""
    return f"{run['trained']['seconds'] / 60:.1f}"


def sinusoids(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """A row per number of support points: the error after 0, 1, 5 and 10 steps."""
    for shots in (5, 10, 20):
        found = run["evaluations"].get(f"test-{shots}-shot", {})
        if not found:
            continue
        path = found["path"]
        # A learner that does not go by steps has one answer.
        steps = [path[i] for i in (0, 1, 5, 10)] if path else [found["before"], found["after"]]
        cells = [written(value, "squared_error") for value in steps]
        yield f"| {run['name']} | {shots} | {' | '.join(cells + ['–'] * (4 - len(cells)))} |"


def fonts(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """One row: printed and handwritten characters."""
    printed = run["evaluations"].get("test", {})
    names = ("omniglot", "prototypical-omniglot")  # the second is that of version 0.1
    files = (run["evaluations"].get(f"test-on-{name}", {}) for name in names)
    handwritten = next(filter(None, files), {})
    if printed and handwritten:
        cells = [written(found["after"], "accuracy") for found in (printed, handwritten)]
        yield f"| {run['name']} | {' | '.join(cells)} | {minutes(run)} |"


def omniglot(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """One row: 1 and 5 shots of 5 and of 20 ways, and what the training was."""
    found = accuracies(run)
    if found:
        recipe, papers = flat(run["recipe"]), of_run(run["name"])
        test = run["evaluations"]["test"]
        figures = ["–" if figure is None else f"{figure:g}" for figure in papers]
        cells = [
            f"{recipe.get('train_ways', recipe['ways'])}, {recipe['shots']}",
            *map(_beside_paper, map(found.get, SHAPES), papers),
            "–" if set(figures) == {"–"} else " / ".join(figures),
            "yes" if test["transductive"] else "no",
            f"{protocol_of(recipe)}, {test['episodes']:,}",
            f"{_steps(run, recipe)} of {recipe['meta_batch']} tasks, {recipe['filters']} filters",
            minutes(run),
            run["environment"]["commit"],
        ]
        yield f"| {run['name']} | {' | '.join(cells)} |"


def _steps(run: Run, recipe: dict[str, Any]) -> str:
    """How many steps were trained, and how many were planned where it was stopped."""
    done, planned = run["trained"]["step"], recipe["steps"]
    return f"{done:,}" if done == planned else f"{done:,} (of {planned:,})"


SHAPES = tuple(f"{ways}-way {shots}-shot" for ways in (5, 20) for shots in (1, 5))


def accuracies(run: Run) -> dict[str, dict[str, float]]:
    """What a run reached, by the shape of the test tasks: {"5-way 1-shot": {"mean": ...}, ...}."""
    found = run["evaluations"].items()
    tests = [own for name, own in found if name == "test" or name.startswith("test-")]
    return {own["data"].rpartition(", ")[2]: own["after"] for own in tests}


def _beside_paper(own: dict[str, float] | None, paper: float | None) -> str:
    """An accuracy, in bold where it is the paper's or better."""
    if own is None:
        return "–"
    cell = written(own, "accuracy")
    # Compared as it is printed: 98.70 reaches 98.7.
    reached = paper is not None and round(100 * own["mean"], 2) >= paper
    return f"**{cell}**" if reached else cell


def counted(runs: dict[str, Run]) -> str:
    """How many figures of papers are reached, the best run of each learner against each."""
    best: dict[tuple[str, str], float] = {}
    papers: dict[tuple[str, str], float] = {}
    for name, run in runs.items():
        found, learner = accuracies(run), learner_of(name)
        for shape, paper in zip(SHAPES, of_run(name), strict=True):
            if shape in found and paper is not None:
                own = round(100 * found[shape]["mean"], 2)
                best[learner, shape] = max(own, best.get((learner, shape), 0.0))
                papers[learner, shape] = paper
    missed = [papers[cell] - own for cell, own in best.items()]
    reached, near = sum(by <= 0 for by in missed), sum(by <= 3 for by in missed)
    return (
        f"{reached} of {len(missed)} figures of papers are reached (bold), "
        f"{near} by three points or better."
    )


def protocol_of(recipe: dict[str, Any]) -> str:
    """Omniglot's split by its name of today; recipes without a `format` are older.

    Example:
        >>> protocol_of({"protocol": "snell2017"}), protocol_of({"protocol": "finn2017"})
        ('random-characters', 'finn2017')
    """
    older = {} if "format" in recipe else {"snell2017": "random-characters"}
    return older.get(recipe["protocol"], recipe["protocol"])


def emoji(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """One row: both numbers of ways; a run's name ends in its ways, and its neighbour has 20."""
    stem = run["name"].rpartition("-")[0]
    five, twenty = (
        others.get(f"{stem}-{ways}", {}).get("evaluations", {}).get("test") for ways in (5, 20)
    )
    if run["name"].endswith("-5") and five and twenty:
        method, reads, _ = run["name"].rsplit("-", 2)
        cells = [written(found["after"], "accuracy") for found in (five, twenty)]
        yield f"| {method} | {reads} | {' | '.join(cells)} | {minutes(run)} |"


def rl2(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """One row: the reward of a trial, of few episodes each, and what stands beside."""
    names = ("test", "test-1000-episodes")
    test = next(filter(None, (run["evaluations"].get(f"{name}", {}) for name in names)), None)
    if test:
        recipe, policy = flat(run["recipe"]), test["policy"]
        # Where there are many episodes a run keeps none of them.
        episodes, lengths = policy.get("episodes", []), policy.get("lengths", [])
        if not any(own["interval"] for own in lengths):
            lengths = []  # where all episodes are equally long there is nothing to tell
        beside = ", ".join(
            f"{name} {found['total']['mean']:.2f}" for name, found in test["references"].items()
        )
        steps = f"{_steps(run, recipe)} of {recipe['meta_batch']}"
        cells = [
            f"{recipe['memory']} {recipe['width']}, {steps}",
            written(policy["total"], "return"),
            ", ".join(f"{own['mean']:.2f}" for own in episodes),
            ", ".join(f"{own['mean']:.1f}" for own in lengths),
            beside,
            minutes(run),
        ]
        yield f"| {run['name']} | {' | '.join(cells)} |"


PLANNERS = {"bandit": "Gittins", "tabular": "UCRL2"}


def rl2_seeds(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """One row: the reward of a trial with each seed, and how far it is ahead of a planner's."""
    stem, found = run["name"].removesuffix("-seed-0"), []
    if stem == run["name"]:
        return
    for seed in SEEDS:
        other = others.get(f"{stem}-seed-{seed}", {"evaluations": {}})
        found.append(other["evaluations"].get("test"))
    cell, recipe = stem.removesuffix("-table"), flat(run["recipe"])
    planner, paper = PLANNERS[cell.partition("-")[0]], RL2[cell]
    beside = found[0]["references"][planner]["total"]["mean"]
    cells = [
        f"{paper:g}",
        *(_reward(own and own["policy"]["total"], paper) for own in found),
        f"{beside:.4g}",
        *(_reward(own and own["ahead"][planner]) for own in found),
        f"{_steps(run, recipe)} of {recipe['meta_batch']}, {minutes(run)} min",
        run["environment"]["commit"],
    ]
    yield f"| {cell} | {' | '.join(cells)} |"


SEEDS = (0, 1, 2)


def _reward(own: dict[str, float] | None, paper: float | None = None) -> str:
    """A mean and its interval, to four digits; in bold where it is the paper's or better, as the
    paper rounds it."""
    if own is None:
        return "–"
    mean, interval = own["mean"], own["interval"]
    cell = f"{mean:.4g} ± {interval:.2g}".replace("-", "−")
    return f"**{cell}**" if paper is not None and round(mean, 1) >= paper else cell


def gradient_or_memory(run: Run, others: dict[str, Run]) -> Iterator[str]:
    """One row: rewards before and after each update, or of each episode; below MAML's, others'."""
    test = run["evaluations"].get("test", {})
    if test:
        steps = environment_steps(flat(run["recipe"]))
        yield _stages(run["name"], test["policy"], f"{steps:,}")
        beside = ("untrained", "random", "goal known") if run["name"] == "maml" else ()
        for name in beside:
            yield _stages(name, test["references"][name], "0")


def environment_steps(recipe: dict[str, Any], horizon: int = 100) -> int:
    """How many a training took, of MAML or RL²."""
    acted = recipe["trajectories"] * (recipe["inner_steps"] + 1) if "inner_steps" in recipe else 0
    return recipe["steps"] * recipe["meta_batch"] * (acted or recipe["episodes"]) * horizon


def _stages(name: str, returns: dict[str, Any], trained: str) -> str:
    cells = [written(value, "return") for value in returns["episodes"]]
    return f"| {name} | {' | '.join(cells)} | {trained} |"


TABLES: dict[str, tuple[str, Callable[[Run, dict[str, Run]], Iterator[str]]]] = {
    "sinusoids": (
        "| learner | points | before | 1 step, or adapted | 5 | 10 |\n|---|---|---|---|---|---|",
        sinusoids,
    ),
    "fonts": (
        "| learner | unseen glyphs | Omniglot | training, min |\n|---|---|---|---|",
        fonts,
    ),
    "omniglot": (
        "| run | trained on ways, shots | 5-way 1-shot | 5-way 5-shot | 20-way 1-shot | "
        "20-way 5-shot | the four of the paper, % | transductive | protocol, test tasks | "
        "meta-steps | training, min | commit |\n" + "|---" * 12 + "|",
        omniglot,
    ),
    "emoji": (
        "| learner | reads the images | 5-way 1-shot | 20-way 1-shot | training, 5-way, min |\n"
        "|---|---|---|---|---|",
        emoji,
    ),
    "rl2": (
        "| run | memory, steps of trials | reward of a trial | its episodes | their lengths | "
        "in the same MDPs | training, min |\n|---|---|---|---|---|---|---|",
        rl2,
    ),
    "rl2-seeds": (
        "| task | RL²'s paper | seed 0 | seed 1 | seed 2 | planner | ahead of it, seed 0 | "
        "seed 1 | seed 2 | steps of trials, time | commit |\n" + "|---" * 11 + "|",
        rl2_seeds,
    ),
    "gradient-or-memory": (
        "| | before, or episode 1 | 1 update, or 2 | 2 updates, or 3 | 3 updates, or 4 | "
        "environment steps |\n|---|---|---|---|---|---|",
        gradient_or_memory,
    ),
}


def table(name: str, folder: Path) -> str:
    """The table of a folder's runs."""
    head, rows = TABLES[name]
    runs = {run["name"]: run for run in kept.runs(folder)}
    found = "\n".join([head, *(row for run in runs.values() for row in rows(run, runs))])
    return f"{found}\n\n{counted(runs)}" if name == "omniglot" else found


README = Path(__file__).parent / "README.md"
MARKS = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(text: str) -> str:
    """The text with every marked table as it is printed from the kept runs."""
    return MARKS.sub(lambda m: f"{m[1]}\n{table(m[2], kept.KEPT / m[2])}\n\n{m[3]}", text)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(table(sys.argv[1], Path(sys.argv[2]) if sys.argv[2:] else kept.KEPT / sys.argv[1]))
    else:
        README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
