"""A receiver of webhooks: a real HTTP server on a loopback socket that behaves as a test asks."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

DROP = 0
"""Instead of a status: close the connection without an answer."""


class Receiver:
    """What came, and what is answered: ``answers`` in their order, then 204."""

    def __init__(self, answers: list[int], seconds: float = 0) -> None:
        self.answers, self.seconds = list(answers), seconds
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    def positions(self) -> list[int]:
        """Positions of the events that came, in the order in which they came."""
        return [json.loads(body)["data"]["position"] for _, body in self.came]

    def ids(self) -> list[str]:
        """Ids of the messages that came."""
        return [headers["webhook-id"] for headers, _ in self.came]

    def messages(self) -> list[dict[str, Any]]:
        """What they said."""
        return [json.loads(body) for _, body in self.came]


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a signature as the Standard Webhooks specification has receivers do it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    recent = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return recent and f"v1,{expected}" in headers["webhook-signature"].split(" ")


@contextmanager
def receiving(*answers: int, seconds: float = 0) -> Iterator[Receiver]:
    """Receive webhooks inside a ``with`` block."""
    receiver = Receiver(list(answers), seconds)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(receiver.seconds)
            status = receiver.answers.pop(0) if receiver.answers else 204
            if status == DROP:
                self.close_connection = True
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
