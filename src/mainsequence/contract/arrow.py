"""Bulk data on the seam: Arrow tables, and Arrow IPC streams on the wire. Heavy libraries load when first used."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mainsequence.errors import RequestTooLargeError, TransportError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

MEDIA_TYPE = "application/vnd.apache.arrow.stream"


class ArrowTable:
    """Stands for ``pyarrow.Table`` in the declarations of operations, without importing it."""


def encode(table: "pa.Table") -> bytes:
    """Write a table as an Arrow IPC stream, its columns compressed with zstd."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


ROWS_AT_ONCE = 65_536
"""How many rows of a large table cross in one record batch."""


def encode_batches(reader: "pa.RecordBatchReader") -> "Iterator[bytes]":
    """Write record batches as an Arrow IPC stream, part by part while they are read; as `encode` does whole tables."""
    import pyarrow as pa

    sink = _Parts()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), reader.schema, options=options) as writer:
        for batch in reader:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


class _Parts:
    """A file to write to, whose content is taken away part by part."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def decode_parts(parts: "Iterable[bytes]") -> "pa.Table":
    """Read an Arrow IPC stream while it arrives, never its bytes and the table at once. Raises as `decode`."""
    import pyarrow as pa

    source = _Arriving(parts)
    try:
        with pa.ipc.open_stream(pa.PythonFile(source, mode="r")) as reader:
            table = reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise TransportError(f"The Arrow stream is damaged: {error}", hint="Repeat the request.") from error
    source.read()
    _check_end(source.last, source.length)
    return table


class _Arriving:
    """A file to read from, whose content arrives part by part."""

    closed = False

    def __init__(self, parts: "Iterable[bytes]") -> None:
        self._parts = iter(parts)
        self._held = bytearray()
        self.last, self.length = b"", 0

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._held) < size:
            part = next(self._parts, None)
            if part is None:
                break
            self._held += part
            self.length += len(part)
            self.last = (self.last + part[-len(_END) :])[-len(_END) :]
        size = len(self._held) if size < 0 else size
        given = bytes(self._held[:size])
        del self._held[:size]
        return given

    def close(self) -> None: ...


def decode(stream: bytes) -> "pa.Table":
    """Read a whole Arrow IPC stream.

    Raises
    ------
    TransportError
        The stream is damaged or cut off; a table with fewer rows is never returned.
    """
    import pyarrow as pa

    _check_end(stream, len(stream))
    try:
        with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
            return reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise TransportError(
            f"The Arrow stream of {len(stream)} bytes is damaged: {error}", hint="Repeat the request."
        ) from error


def decode_from_stranger(stream: bytes) -> "pa.Table":
    """Read a whole Arrow IPC stream from somebody who may have made it to do harm.

    Raises
    ------
    ValidationError
        It is no stream, or contradicts itself.
    RequestTooLargeError
        It says that it unpacks to more than `MOST_UNPACKED` bytes, and more than it fairly could.
    """
    import pyarrow as pa

    from mainsequence.contract.arrow_size import unpacked_size

    try:
        size = unpacked_size(stream)
        if size > max(MOST_UNPACKED, FAIR_RATIO * len(stream)):
            raise RequestTooLargeError(
                f"The table unpacks from {len(stream):,} bytes to {size:,}.", hint="Send it in several parts."
            )
        table = decode(stream)
        table.validate(full=True)
        _ = [(field.name, getattr(field.type, "tz", None)) for field in table.schema]  # which must be text
    except (TransportError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ValidationError(f"The body is no table: {error}", hint="Send a whole Arrow IPC stream.") from None
    return table


MOST_UNPACKED = 1024 * 1024 * 1024
"""Bytes of the largest table that may come packed ever so small."""

FAIR_RATIO = 8
"""How much smaller than its columns a large table may be: prices and weights pack to a quarter at best."""

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def _check_end(stream: bytes, length: int) -> None:
    # A reader takes a stream that ends between two batches for whole; the end-of-stream mark tells the difference.
    if not stream.endswith(_END):
        raise TransportError(f"The Arrow stream of {length} bytes is cut off.", hint="Repeat the request.")


@dataclass(frozen=True, slots=True)
class WideMatrix:
    """One column of a series as a date × asset matrix.

    Parameters
    ----------
    times
        Every stamp of the series in the range asked for (whichever asset it belongs to): int64 microseconds since
        1970 UTC, ascending, shape (T,).
    assets
        Unique identifiers, N of them: in the order asked for, or ascending.
    values
        float64, shape (T, N), C order; NaN where an asset has no row or a null. Read only.
    version
        The version of the series it was made from.
    """

    times: "npt.NDArray[np.int64]"
    assets: tuple[str, ...]
    values: "npt.NDArray[np.float64]"
    version: int

    def to_table(self) -> "pa.Table":
        """Give the matrix as a table without copying it: ``time_index`` and one list of N values per row."""
        import pyarrow as pa

        times = pa.array(self.times).view(pa.timestamp("us", "UTC"))
        values = pa.FixedSizeListArray.from_arrays(pa.array(self.values.reshape(-1)), max(len(self.assets), 1))
        if not self.assets:
            values = pa.nulls(len(times), values.type)
        facts = {"assets": json.dumps(self.assets), "version": str(self.version)}
        schema = pa.schema([("time_index", times.type), ("values", values.type)], metadata=facts)
        return pa.Table.from_arrays([times, values], schema=schema)

    @classmethod
    def from_table(cls, table: "pa.Table") -> "WideMatrix":
        """Read what `to_table` gave."""
        import numpy as np
        import pyarrow as pa

        facts: dict[bytes, Any] = table.schema.metadata
        assets = tuple(json.loads(facts[b"assets"]))
        times = table.column("time_index").combine_chunks().view(pa.int64()).to_numpy(zero_copy_only=False)
        values = table.column("values").combine_chunks().flatten().to_numpy(zero_copy_only=False)
        shaped = np.asarray(values, np.float64).reshape(len(times), len(assets))
        shaped.flags.writeable = False
        return cls(times, assets, shaped, int(facts[b"version"]))
