import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, program
from tests.shared_data import ROOT

RUN = "import sys; from pathlib import Path; exec(compile(Path(sys.argv[1]).read_text(), sys.argv[2], 'exec'))"
RUNNABLE = [page for page in PAGES if program(page).strip()]


@pytest.mark.timeout(960)
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_in_order_on_a_fresh_home(page: Path, home: Path, tmp_path: Path):
    script = tmp_path / "page.py"
    script.write_text(program(page), encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(script), str(page.relative_to(ROOT))],
        cwd=tmp_path,
        env=os.environ | {"MAINSEQUENCE_HOME": str(home), "PATH": path, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # the command line page alone runs over a hundred commands
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-6000:]}"


def test_every_decision_is_listed():
    listed = (ROOT / "docs/adr/index.md").read_text(encoding="utf-8")
    for decision in (ROOT / "docs/adr").glob("0*.md"):
        assert f"({decision.name})" in listed
