"""``mainsequence demo``."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the picture goes.")] = Path("demo.png"),
) -> None:
    """Do the main job on real data: a named universe becomes portfolios, a table and a picture."""
    from mainsequence.demo.main import run as run_demo

    run_demo(output=output)
