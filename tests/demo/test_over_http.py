"""The demo, unchanged, against a server: the values are those of the embedded run bit for bit, and so is the table."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("skfolio")
pytest.importorskip("matplotlib")

import mainsequence.client as msc
from tests.carriers.servers import a_server


def demo(folder: Path, **environment: str) -> str:
    """Run the command in a process of its own and give what it printed, without how long each step took."""
    folder.mkdir()
    command = [Path(sys.executable).with_name("mainsequence"), "demo", "--output", "demo.png"]
    shell = os.environ | {"COLUMNS": "100", "MPLBACKEND": "Agg"} | environment
    ran = subprocess.run(command, env=shell, cwd=folder, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (folder / "demo.png").stat().st_size > 10_000
    return re.sub(r" +\d+\.\d s$", "", ran.stdout, flags=re.MULTILINE).replace(str(folder), "")


def stored() -> dict[str, bytes]:
    """Every stored row of every series, as bytes."""
    kept = {}
    for series in msc.Series.filter():
        table = series.read_arrow().combine_chunks()
        kept[series.unique_identifier] = b"".join(
            bytes(buffer) for column in table.columns for chunk in column.chunks for buffer in chunk.buffers() if buffer
        )
    return kept


@pytest.mark.slow
def test_the_demo_over_http_gives_the_embedded_values_bit_for_bit(tmp_path: Path) -> None:
    here = demo(tmp_path / "here", MAINSEQUENCE_HOME=str(tmp_path / "embedded"))
    with msc.session(str(tmp_path / "embedded")):
        expected = stored()
    with a_server(tmp_path / "served") as (address, token):
        unused = tmp_path / "unused"
        there = demo(
            tmp_path / "there", MAINSEQUENCE_HOME=str(unused), MAINSEQUENCE_ENDPOINT=address, MAINSEQUENCE_TOKEN=token
        )
        with msc.session(address, token):
            found = stored()
    assert there == here
    assert len(expected) >= 5
    assert found == expected
    assert not unused.exists()
