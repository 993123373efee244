"""What importing the client costs a new process, against importing pydantic."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.measure import Row, interleaved, report, row_at_most


def process(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def rows(runs: int = 15) -> list[Row]:
    ours, peer = interleaved([process("import mainsequence.client"), process("import pydantic")], runs)
    used, models = interleaved(
        [process("import mainsequence.client as msc; msc.AssetCategory"), process("from pydantic import BaseModel")],
        runs,
    )
    return [
        row_at_most("import mainsequence.client, new process", ours, "import pydantic", peer, 1.5),
        row_at_most("… and msc.AssetCategory used", used, "from pydantic import BaseModel", models, 3),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
