"""A TCP proxy that delivers every request and drops some of the replies."""

import random
import socket
from contextlib import suppress
from threading import Lock, Thread


class DroppingProxy:
    """Forwards connections to a port of this machine; now and then cuts one when the reply arrives, or in its middle.

    Parameters
    ----------
    port
        Where the server is.
    share
        Which share of replies is dropped.
    """

    def __init__(self, port: int, share: float) -> None:
        self.port, self.share = port, share
        self.draw, self.mutex = random.Random(11), Lock()
        self.dropped = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "DroppingProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
                Thread(target=self._forward, args=(near, far), daemon=True).start()
                Thread(target=self._answer, args=(far, near), daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while content := near.recv(65_536):
                far.sendall(content)
            far.shutdown(socket.SHUT_WR)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        with far, near, suppress(OSError):
            while content := far.recv(65_536):
                with self.mutex:
                    drop, part = self.draw.random() < self.share, self.draw.random() < 0.5
                    self.dropped += drop
                if drop:
                    near.sendall(content[: len(content) // 2] if part else b"")
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(content)
