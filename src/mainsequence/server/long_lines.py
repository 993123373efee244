"""Request lines longer than 64 KiB: clients of the vendor's SDK name thousands of ids in an address."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 1024 * 1024
"""Bytes of the longest address that is read; longer ones are answered with 414."""

PARSED = 65_535
"""Bytes of the longest address that uvicorn's parser takes."""

_TOO_LONG = b'{"detail":"The address is longer than 1 MiB."}'
_REFUSAL = (
    b"HTTP/1.1 414 URI Too Long\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
)


class LongLines(HttpToolsProtocol):
    """uvicorn's protocol on httptools, whose addresses may be longer."""

    too_long = False

    def on_url(self, url: bytes) -> None:
        """Take in a part of an address."""
        if len(self.url) + len(url) > LONGEST:
            self.too_long = True
            raise ValueError(len(url))
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """Begin to answer; only the path of a long address needs the parser."""
        path, _, query = self.url.partition(b"?")
        if len(self.url) <= PARSED or len(path) > PARSED:
            super().on_headers_complete()
            return
        self.url = path
        super().on_headers_complete()
        self.scope["query_string"] = query  # in time: the answer begins when the loop gets to it

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, and what is too long."""
        if self.too_long:
            self.transport.write(_REFUSAL % (len(_TOO_LONG), _TOO_LONG))
            self.transport.close()
        else:
            super().send_400_response(msg)
