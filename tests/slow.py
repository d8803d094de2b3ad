"""Which tests are slow: `pytest` alone leaves them out, and `pytest -m ""` runs all.

    pytest -m "" --durations=0 --durations-min=0.5 > durations.txt
    python tests/slow.py durations.txt

writes tests/slow.txt, the tests that took longer than a second to set up and call.
"""

import re
import sys
from collections import Counter
from pathlib import Path

SECONDS = 1.0
LINE = re.compile(r"([\d.]+)s (?:setup|call) +(tests/.*)")


def slow(report: str, seconds: float = SECONDS) -> list[str]:
    """The tests that took longer, in alphabetical order.

    Example:
        >>> slow("1.50s call     tests/a.py::b[c d]\\n0.90s setup    tests/a.py::b[c d]")
        ['tests/a.py::b[c d]']
    """
    times: Counter[str] = Counter()
    for line in report.splitlines():
        if found := LINE.fullmatch(line.strip()):
            times[found[2].strip()] += float(found[1])
    return sorted(name for name, taken in times.items() if taken > seconds)


if __name__ == "__main__":
    names = slow(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(__file__).with_name("slow.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    print(f"{len(names)} slow tests")
