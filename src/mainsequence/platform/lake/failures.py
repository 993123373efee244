"""Failures of disks and object stores, as the platform's own errors."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import polars.exceptions
import pyarrow as pa
from deltalake.exceptions import DeltaError, TableNotFoundError

from mainsequence.errors import MainSequenceError, ReadOnlyStorageError, StorageError, StorageFullError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
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
    """Choose the error for a low-level failure by its errno, never by its words."""
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
    first_line = str(error).split("\n", 1)[0][:300]
    return StorageError(f"The storage failed: {doing} gave {type(error).__name__}: {first_line}", errno=number)


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
