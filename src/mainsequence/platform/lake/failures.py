"""Failures of disks and object stores, as the platform's own errors."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import polars.exceptions
import pyarrow as pa
from deltalake.exceptions import DeltaError, TableNotFoundError

from mainsequence.errors import (
    MainSequenceError,
    ReadOnlyStorageError,
    StorageError,
    StorageFullError,
    UnreachableStorageError,
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_UNREACHED = {
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EPIPE,
    errno.ETIMEDOUT,
}
_STORE_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code\W.*?\b(\d{3}) ", re.DOTALL)
_UNSENT = re.compile(
    r"error sending request|after \d+ retries|operation timed out|Missing (AccessKeyId|SecretAccessKey|Region)"
)
_DECORATION = re.compile(r"\x1b\[[0-9;]*m|↳|\s+")
_KEYS_HINT = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and what they may do there."
_OS_ERROR = re.compile(r"os error (\d+)|code: (\d+), kind|errno (\d+)", re.IGNORECASE)

LOW_LEVEL = (OSError, DeltaError, TableNotFoundError, pa.ArrowException, polars.exceptions.PolarsError)
"""What the libraries below raise when storage fails."""


@contextmanager
def storage_failures(doing: str) -> Iterator[None]:
    """Turn low-level failures inside the block into `StorageError` and its kinds; own errors pass.

    Parameters
    ----------
    doing
        What was being done, for the message: ``"reading the series 'prices'"``.
    """
    try:
        yield
    except MainSequenceError:
        raise
    except LOW_LEVEL as error:
        raise as_storage_error(error, doing) from error


def as_storage_error(error: BaseException, doing: str) -> StorageError:
    """Choose the error for a low-level failure by its errno or the object store's status and code, not by its words."""
    number = errno_of(error)
    if number in _FULL:
        return StorageFullError(
            f"No space is left: {doing} failed, nothing was changed.", hint="Free some space and repeat.", errno=number
        )
    if number in _READ_ONLY:
        return ReadOnlyStorageError(
            f"The storage can only be read: {doing} failed, nothing was changed.",
            hint="Check that the home is mounted for writing and belongs to you.",
            errno=number,
        )
    refused = _of_object_store(error, number, doing)
    if refused is not None:
        return refused
    first_line = str(error).split("\n", 1)[0][:300]
    return StorageError(f"The storage failed: {doing} gave {type(error).__name__}: {first_line}", errno=number)


def _of_object_store(error: BaseException, number: int | None, doing: str) -> StorageError | None:
    """Give what an object store means that cannot be reached, lets nobody in, or has no such bucket."""
    text = str(error)
    unsent, code, status = _UNSENT.search(text), _STORE_CODE.search(text), _STATUS.search(text)
    if (unsent and unsent[1]) or (status and status[1] in ("401", "403")) or "necessary privileges" in text:
        said = code[1] if code else status[1] if status else f"no {unsent[1]}" if unsent else "no right"
        return StorageError(f"The object store refuses the keys ({said}): {doing} failed.", hint=_KEYS_HINT)
    if code and code[1] == "NoSuchBucket":
        return StorageError(
            f"The bucket does not exist: {doing} failed.", hint="Correct MAINSEQUENCE_LAKE, or create the bucket."
        )
    if unsent or number in _UNREACHED:
        return UnreachableStorageError(
            f"The object store cannot be reached: {doing} failed.",
            hint="Check AWS_ENDPOINT_URL, and that the store runs; then repeat.",
            errno=number,
        )
    if status:
        detail = _DECORATION.sub(" ", text)[-300:].strip()
        return StorageError(f"The object store answered {status[1]}: {doing} failed: {detail}", errno=number)
    return None


def errno_of(error: BaseException) -> int | None:
    """Find the operating system's error number in an exception, its causes, or its text (`os error 28`)."""
    seen: BaseException | None = error
    while seen is not None:
        number = getattr(seen, "errno", None)
        if isinstance(number, int):
            return number
        found = _OS_ERROR.search(str(seen))
        if found:
            return int(next(group for group in found.groups() if group))
        seen = seen.__cause__
    return None
