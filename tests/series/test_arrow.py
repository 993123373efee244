"""Tables cross the wire whole, or not at all."""

import json
import subprocess
import sys

import pyarrow as pa
import pytest

from mainsequence.contract.arrow import decode, decode_from_stranger, encode
from mainsequence.contract.arrow_size import unpacked_size
from mainsequence.errors import RequestTooLargeError, TransportError, ValidationError

TABLE = pa.table({"x": pa.array(range(100_000)), "s": pa.array(["a", None] * 50_000)})


@pytest.mark.parametrize("table", [TABLE, TABLE.slice(0, 0), pa.concat_tables([TABLE, TABLE])])
def test_a_table_is_read_as_it_was_written(table: pa.Table) -> None:
    assert decode(encode(table)).equals(table)


def test_metadata_crosses_too() -> None:
    assert decode(encode(TABLE.replace_schema_metadata({"a": "b"}))).schema.metadata == {b"a": b"b"}


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.1, 0.5, 0.9])
def test_a_stream_that_was_cut_off_is_refused(keep: float) -> None:
    stream = encode(pa.concat_tables([TABLE, TABLE]))
    with pytest.raises(TransportError):
        decode(stream[: int(len(stream) * keep)])


def test_a_stream_cut_between_two_batches_is_refused() -> None:
    stream = encode(pa.concat_tables([TABLE, TABLE]))
    with pytest.raises(TransportError, match="cut off"):
        decode(stream[:-8])


def test_garbage_is_refused() -> None:
    with pytest.raises(TransportError, match="damaged"):
        decode(b"garbage" * 100 + b"\xff\xff\xff\xff\x00\x00\x00\x00")


def test_declaring_the_operations_loads_nothing_heavy() -> None:
    program = (
        "import json, sys, mainsequence.contract.series, mainsequence.client.series; print(json.dumps([*sys.modules]))"
    )
    loaded = json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert not {"pyarrow", "pandas", "polars", "numpy", "deltalake", "sqlalchemy"} & set(loaded)


@pytest.mark.parametrize("word", [b"price", b"Europe/Berlin"])
def test_names_and_time_zones_that_are_no_text_are_refused(word: bytes) -> None:
    times = pa.array([0], pa.timestamp("us", "Europe/Berlin"))
    stream = encode(pa.table({"at": times, "price": pa.array([1.0])}))
    assert decode_from_stranger(stream).num_rows == 1
    with pytest.raises(ValidationError, match="no table"):
        decode_from_stranger(stream.replace(word, b"\xff" * len(word)))


def stream_of(table: pa.Table, compression: str | None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=30_000)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_the_size_of_a_table_is_known_before_it_is_unpacked(compression: str | None) -> None:
    words = pa.array(["one", None, "three"] * 20_000).dictionary_encode()
    nested = pa.array([[1.0, 2.0], [], None] * 20_000)
    table = pa.table({"n": pa.array(range(60_000)), "w": words, "l": nested})
    size = unpacked_size(stream_of(table, compression))
    assert abs(size - table.nbytes) < 4_000, "padding, and bitmaps that are left out"
    assert unpacked_size(stream_of(table.slice(0, 0), compression)) < 100


def test_a_small_body_that_unpacks_without_measure_is_refused_before_it_is() -> None:
    bomb = encode(pa.table({"zero": pa.array([0] * 1_000, pa.int64())}))
    assert decode_from_stranger(bomb).num_rows == 1_000
    lie = bytearray(bomb)
    place = bytes(lie).index((8_000).to_bytes(8, "little"), bytes(lie).rindex(b"\x28\xb5\x2f\xfd") - 8)
    lie[place : place + 8] = (2**40).to_bytes(8, "little")
    with pytest.raises(RequestTooLargeError, match="1,099,511,627,776"):
        decode_from_stranger(bytes(lie))


def test_no_buffer_makes_the_measure_smaller() -> None:
    """A buffer that claims a negative size does not weigh up another one that is too large."""
    honest = encode(pa.table({"zero": pa.array([0] * 1_000, pa.int64()), "one": pa.array([1] * 1_000, pa.int64())}))
    zero, one = (
        at for at in range(len(honest)) if honest[at : at + 12] == (8_000).to_bytes(8, "little") + b"\x28\xb5\x2f\xfd"
    )
    lie = bytearray(honest)
    lie[zero : zero + 8] = (2**40).to_bytes(8, "little", signed=True)
    lie[one : one + 8] = (-(2**40)).to_bytes(8, "little", signed=True)
    assert unpacked_size(bytes(lie)) >= 2**40
    with pytest.raises(RequestTooLargeError):
        decode_from_stranger(bytes(lie))


def test_messages_that_lead_nowhere_are_refused() -> None:
    stream = stream_of(TABLE.slice(0, 100), "zstd")
    for place in range(0, len(stream), 3):
        broken = stream[:place] + bytes([stream[place] ^ 0xFF]) + stream[place + 1 :]
        try:
            decode_from_stranger(broken)
        except (ValidationError, RequestTooLargeError):
            continue
