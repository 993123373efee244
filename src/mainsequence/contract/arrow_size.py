"""How large an Arrow IPC stream unpacks, read from its messages before anything is unpacked.

Every packed buffer of a record batch begins with its unpacked length, and the message says where buffers begin: the
format is `Message.fbs`_, the few fields needed are read from the flatbuffer here.

.. _Message.fbs: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
"""

import struct
from collections.abc import Iterator
from typing import Any

from mainsequence.errors import TransportError

_HEADER, _DATA, _BUFFERS, _COMPRESSION = 2, 1, 2, 3
"""Fields of Message, DictionaryBatch and RecordBatch, by their place in the schema of the format."""


def unpacked_size(stream: bytes) -> int:
    """Add up the bytes of all buffers, unpacked.

    Raises
    ------
    TransportError
        It is no stream of messages, or one of them cannot be read.
    """
    import pyarrow as pa

    try:
        return sum(sum(_sizes(message)) for message in pa.ipc.MessageReader.open_stream(pa.py_buffer(stream)))
    except (pa.ArrowException, OSError) as error:
        raise TransportError(f"The Arrow stream of {len(stream)} bytes is damaged: {error}.") from error


def _sizes(message: Any) -> Iterator[int]:
    if message.body is None or message.body.size == 0:
        return
    try:
        yield from _lengths(bytes(message.metadata), memoryview(message.body), message.type)
    except (struct.error, IndexError) as error:
        raise TransportError(f"A message of the Arrow stream is damaged: {error}.") from error


def _lengths(told: bytes, body: memoryview, kind: str) -> Iterator[int]:
    batch = _table(told, _followed(told, 0), _HEADER)
    if kind == "dictionary" and batch is not None:
        batch = _table(told, batch, _DATA)
    if batch is None:
        return
    packed = _table(told, batch, _COMPRESSION) is not None
    vector = _table(told, batch, _BUFFERS)
    if vector is None:
        return
    (count,) = struct.unpack_from("<I", told, vector)
    for offset, length in struct.iter_unpack("<qq", told[vector + 4 : vector + 4 + 16 * count]):
        first = struct.unpack_from("<q", body, offset)[0] if packed and length >= 8 else length
        yield max(length if first < 0 else first, 0)  # no lie makes the sum smaller


def _followed(told: bytes, at: int) -> int:
    """Give the place that a place in a flatbuffer refers to."""
    return at + int(struct.unpack_from("<I", told, at)[0])


def _table(told: bytes, table: int, field: int) -> int | None:
    """Give the place of what a field of a table refers to; ``None`` where the field is left out."""
    fields = table - int(struct.unpack_from("<i", told, table)[0])
    (length,) = struct.unpack_from("<H", told, fields)
    at = 4 + 2 * field
    offset = int(struct.unpack_from("<H", told, fields + at)[0]) if at < length else 0
    return _followed(told, table + offset) if offset else None
