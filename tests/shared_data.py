"""Where the published facts lie that some tests compare with; none of them is part of the project."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_data(*parts: str) -> Path:
    """Give a path below the folder of shared test data, or skip the test when it is not on this machine.

    The folder is ``MAINSEQUENCE_SHARED_DATA``, or ``../shared/data`` beside the repository.
    """
    folder = Path(os.environ.get("MAINSEQUENCE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no shared test data here ({'/'.join(parts)}); set MAINSEQUENCE_SHARED_DATA")
    return path
