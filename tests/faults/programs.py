"""The server as a program of its own at an address that stays, to be killed and started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx

from mainsequence.platform.platform import Platform
from mainsequence.server.run import first_token
from mainsequence.settings import Settings


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Program:
    """``mainsequence server start`` on a home.

    Parameters
    ----------
    home
        Its home.
    environment
        Further variables, such as the address of a database.
    """

    def __init__(self, home: Path, **environment: str) -> None:
        self.environment = os.environ | {"MAINSEQUENCE_HOME": str(home)} | environment
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = Path(tempfile.mkstemp(prefix="server-", suffix=".log")[1])
        platform = Platform.embedded(Settings.from_environment(self.environment))
        issued = first_token(platform)
        platform.close()
        assert issued is not None
        self.token = issued.token

    def start(self) -> "Program":
        """Start it and wait until it answers."""
        command = [Path(sys.executable).with_name("mainsequence"), "server", "start", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(httpx.TransportError):
                httpx.get(f"{self.address}/healthz", timeout=2)
                return self
            time.sleep(0.05)
        raise RuntimeError(self.log.read_text()[-4000:])

    def kill(self) -> None:
        """Kill it as a machine does that loses power."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """Stop it as an administrator does."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def failures(self) -> list[str]:
        """Give the lines of its log that tell of exceptions."""
        return [line for line in self.log.read_text().splitlines() if re.search(r'"exception"|Traceback', line)]
