"""The README's Python runs."""

import re
from pathlib import Path


def test_python_block_runs():
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for long, short in (("steps=100", "steps=2"), ("episodes=200", "episodes=4")):
        assert long in block
        block = block.replace(long, short)
    exec(compile(block, "README.md", "exec"), {})
