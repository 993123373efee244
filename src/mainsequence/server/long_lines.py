"""Heads of requests: long addresses are read, heads without end are not.

Clients of the vendor's SDK name thousands of ids in an address; the server's parser stops at 64 KiB. What it and this
module refuse never reaches the application, and so is answered here.
"""

import asyncio
import re
from http import HTTPStatus
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mainsequence.logs import get_logger
from mainsequence.server.bodies import PATIENCE_SECONDS
from mainsequence.server.frame import CAREFUL
from mainsequence.server.problems import refuse

LONGEST = 1024 * 1024
"""Bytes of the longest address that is read; longer ones are answered with 414."""

PARSED = 65_535
"""Bytes of the longest address that uvicorn's parser takes."""

LONGEST_HEAD = LONGEST + 512 * 1024
"""Bytes that may come without any of a body among them, as read from the socket; more are answered with 431."""

_logger = get_logger("mainsequence.server.requests")
_TOO_LONG = "The address is longer than 1 MiB."


_OFFER = re.compile(rb"\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n)", re.IGNORECASE)


def _without_offer(data: bytes) -> bytes:
    """Leave out of a head that its client would speak HTTP/2 too: the parser would take the body for that."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(b"", head + end[:2], count=1) + end[2:] + rest if end else data


class LongLines(HttpToolsProtocol):
    """uvicorn's protocol on httptools, whose addresses may be longer, and whose heads end in time."""

    too_long = False
    _is_between, _in_head = True, False
    _without_body = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request as long as between two of them."""
        super().connection_made(transport)
        self._wait(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, unless no body and no end of the head is in sight."""
        if self._is_between and (b"h2c" in data or b"H2C" in data):
            data = _without_offer(data)
        self._without_body += len(data)
        super().data_received(data)
        if self._in_head and self._deadline is None:
            self._wait(PATIENCE_SECONDS)
        if self._without_body > LONGEST_HEAD and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request has no end.")

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        self._is_between, self._in_head = False, True
        self._stop_waiting()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take in a part of an address."""
        if len(self.url) + len(url) > LONGEST:
            self.too_long = True
            raise ValueError(len(url))
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """Begin to answer; only the path of a long address needs the parser."""
        self._in_head = False
        self._stop_waiting()
        path, _, query = self.url.partition(b"?")
        if len(self.url) <= PARSED or len(path) > PARSED:
            super().on_headers_complete()
            return
        self.url = path
        super().on_headers_complete()
        self.scope["query_string"] = query  # in time: the answer begins when the loop gets to it

    def on_body(self, body: bytes) -> None:
        """Take in a part of a body, whose length is limited elsewhere."""
        self._without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note of the end of a request."""
        self._without_body, self._is_between = 0, True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, and what is too long."""
        if self.too_long:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG, _TOO_LONG)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, msg)

    @property
    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._is_answering:
            self._wait(PATIENCE_SECONDS)
        elif self._without_body:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The head of the request came too slowly.")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer, where no other answer is on its way, and close."""
        if not self._is_answering:
            named = uuid4().hex
            _logger.info("%s %s", status.value, detail, extra={"request_id": named, "status": status.value})
            answer = refuse(status, detail, {"Connection": "close", "X-Request-ID": named})
            fields = b"".join(b"%s: %s\r\n" % pair for pair in (*answer.raw_headers, *CAREFUL.items()))
            line = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
            self.transport.write(b"%s%s\r\n%s" % (line, fields, answer.body))
        self.transport.close()
