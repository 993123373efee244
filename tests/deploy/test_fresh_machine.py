"""A fresh machine: the page's three commands start a server, and a second terminal's script works against it."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.deploy.fresh_machine import FreshMachine
from tests.docs.pages import blocks
from tests.shared_data import ROOT

PAGE = ROOT / "docs" / "how-to" / "run_a_server.md"


def commands_of_the_page() -> list[str]:
    language, _, lines = blocks(PAGE)[0]
    assert language == "sh"
    return lines


def script_of_the_page() -> str:
    return "\n".join(next(lines for language, _, lines in blocks(PAGE) if language == "python"))


def test_the_page_says_three_commands() -> None:
    install, home, start = commands_of_the_page()
    assert install == "pip install 'mainsequence-platform[server]'"
    assert home.startswith("export MAINSEQUENCE_HOME=")
    assert start == "mainsequence server start"


@pytest.mark.slow
def test_three_commands_and_a_second_terminals_script(tmp_path: Path) -> None:
    machine = FreshMachine(tmp_path)
    install, home, start = commands_of_the_page()
    machine.run(install)
    place = home.replace("/srv/mainsequence", str(machine.home))
    first_terminal = subprocess.Popen(
        ["bash", "-euc", f"{place}\nexec {start} --port 0"],
        env=machine.environment(), cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert first_terminal.stderr is not None
        said = ""
        for line in first_terminal.stderr:
            said += line
            if "MAINSEQUENCE_TOKEN=" in line:
                break
        exports = re.findall(r"export (MAINSEQUENCE_ENDPOINT|MAINSEQUENCE_TOKEN)=(\S+)", said)
        assert len(exports) == 2, said
        second_terminal = dict(exports)
        check = "\nprint(sorted(a.unique_identifier for a in universe.get_assets()), msc.connect().describe())"
        (tmp_path / "script.py").write_text(script_of_the_page() + check)
        printed = machine.run("python script.py", **second_terminal)
        assert printed.strip() == f"['KO', 'PG'] server at {second_terminal['MAINSEQUENCE_ENDPOINT']}"
        assert not (tmp_path / ".local").exists(), "the script's terminal keeps nothing of its own"
        assert "fail" not in machine.run("mainsequence doctor", **second_terminal)
        assert '"members": 2' in machine.run("mainsequence category show staples --json", **second_terminal)
    finally:
        first_terminal.send_signal(signal.SIGTERM)
        first_terminal.communicate(timeout=60)
    assert first_terminal.returncode in (0, -signal.SIGTERM)
