"""A real S3-compatible server for tests: moto's, in a process of its own on 127.0.0.1, which checks keys.

It serves one request at a time: its conditional puts look first and write then, which is right only without threads.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

import pytest

BUCKET = "lake"
_PROGRAM = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
"""
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class ObjectStore:
    """One server with a bucket and a user who may do everything."""

    def __init__(self) -> None:
        pytest.importorskip("moto", reason="no S3 server: pip install 'moto[s3]' flask flask-cors")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.places = count(1)
        self.start()

    def start(self) -> None:
        """Start the server, with nothing in it but the bucket."""
        self.log = Path(tempfile.mkstemp(prefix="s3-", suffix=".log")[1])
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(self.port)],
                env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}, stdout=log, stderr=log,
            )  # fmt: skip
        self._await()
        self._prepare()

    def _await(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError(self.log.read_text())

    def _prepare(self) -> None:
        import boto3

        anyone = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=self.endpoint, **anyone).create_bucket(Bucket=BUCKET)
        users = boto3.client("iam", endpoint_url=self.endpoint, **anyone)
        users.create_user(UserName="platform")
        users.put_user_policy(UserName="platform", PolicyName="all", PolicyDocument=json.dumps(_EVERYTHING))
        issued = users.create_access_key(UserName="platform")["AccessKey"]
        self.key, self.secret = issued["AccessKeyId"], issued["SecretAccessKey"]
        check_keys = urllib.request.Request(
            f"{self.endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST"
        )
        urllib.request.urlopen(check_keys).close()

    def environment(self) -> dict[str, str]:
        """Give the variables with which everybody reaches it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def place(self) -> str:
        """Give an address that nobody used yet."""
        return f"s3://{BUCKET}/tests/{next(self.places)}"

    def kill(self) -> None:
        """End the server at once; what it kept is lost."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def pause(self) -> None:
        """Let it take connections and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self.process.send_signal(signal.SIGCONT)


@cache
def object_store() -> ObjectStore:
    """Start the server of this process of tests, once; it goes when the process does."""
    running = ObjectStore()
    atexit.register(running.kill)
    return running


def an_object_store(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this process and those that it starts reach the server; gives a fresh address in it."""
    running = object_store()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running.place()
