"""The README's Python runs."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


FEW_SHOT = {"steps=100": "steps=2", "episodes=200": "episodes=4"}
META_RL = {"steps=20": "steps=2", "trials=1000": "trials=10"}


@pytest.mark.parametrize(
    ("block", "shorter"),
    list(zip(BLOCKS, (FEW_SHOT, META_RL), strict=True)),
    ids=("few-shot", "meta-rl"),
)
def test_python_blocks_run(block, shorter):
    for long, short in shorter.items():
        assert long in block
        block = block.replace(long, short)
    exec(compile(block, "README.md", "exec"), {})
