"""A machine of its own for tests: a new virtual environment in which nothing of this repository can be imported.

The libraries below are lent by the environment that runs the tests, so that no network is needed; the platform itself
is installed by pip from a wheel, as it is from a registry.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from functools import cache
from pathlib import Path

from tests.shared_data import ROOT


@cache
def wheel() -> Path:
    """Build the wheel of this repository, once."""
    folder = Path(tempfile.mkdtemp(prefix="wheel-"))
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT], check=True)
    (found,) = folder.glob("mainsequence_platform-*.whl")
    return found


class FreshMachine:
    """A virtual environment and a home.

    Parameters
    ----------
    folder
        Where to make them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.online = False
        self.bin = folder / "venv" / "bin"
        venv.create(folder / "venv", with_pip=True, symlinks=True)
        self._lend_libraries()

    def _lend_libraries(self) -> None:
        lent = self.folder / "libraries"
        lent.mkdir()
        for path in map(Path, {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}):
            for entry in path.iterdir():
                own = "mainsequence" in entry.name or entry.name.startswith(("pip", "_", "distutils"))
                if (not own or entry.name.startswith("_cffi")) and entry.suffix != ".pth":
                    (lent / entry.name).symlink_to(entry)
        (packages,) = (self.folder / "venv").glob("lib/python*/site-packages")
        (packages / "libraries.pth").write_text(f"{lent}\n")

    def environment(self, **more: str) -> dict[str, str]:
        """Give the variables of a shell on it: nothing of the shell that runs the tests but where programs are."""
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "SYSTEMROOT") if name in os.environ}
        own = {
            "HOME": str(self.folder),
            "PATH": f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        offline = {} if self.online else {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel().parent)}
        return kept | own | offline | more

    def run(self, script: str, **more: str) -> str:
        """Run a shell script on it and give what it printed."""
        ran = subprocess.run(
            ["bash", "-euc", script],
            env=self.environment(**more),
            cwd=self.folder,
            text=True,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
        return ran.stdout
