"""Errors of the database as errors of the platform, and which of them are worth another try."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mainsequence.errors import (
    BusyError,
    ConfigurationError,
    ConflictError,
    MainSequenceError,
    ReadOnlyStorageError,
    StorageError,
    StorageFullError,
    UnreachableStorageError,
    ValidationError,
)

_DATABASE_HINT = "Check MAINSEQUENCE_DATABASE_URL, and that its server runs and lets you in."


@dataclass(frozen=True, slots=True)
class _Known:
    """What the platform says for some of SQLite's names of errors and of SQLSTATEs."""

    kind: type[MainSequenceError]
    message: str
    hint: str
    codes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


_KNOWN = (
    _Known(
        StorageFullError,
        "The disk is full; nothing was changed.",
        "Free space and repeat the call.",
        ("SQLITE_FULL", "53100"),
        ("SQLITE_IOERR_WRITE",),
    ),
    _Known(
        ReadOnlyStorageError,
        "The registry cannot be written; nothing was changed.",
        "Check the permissions of MAINSEQUENCE_HOME, or point it to a folder that you may write.",
        prefixes=("SQLITE_READONLY",),
    ),
    _Known(
        ReadOnlyStorageError,
        "The registry's database only reads; nothing was changed.",
        "Point MAINSEQUENCE_DATABASE_URL to the primary, or let the database be written.",
        ("25006",),
    ),
    _Known(
        BusyError,
        "The registry is busy with other writers; nothing was changed.",
        "Repeat the call.",
        ("40001", "40P01", "53300", "55P03", "57014"),
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
    ),
    _Known(
        StorageError,
        "The registry cannot be opened.",
        "Check that MAINSEQUENCE_HOME exists and is yours.",
        ("SQLITE_CANTOPEN",),
    ),
    _Known(
        ConfigurationError,
        "The database refuses: {}.",
        _DATABASE_HINT,
        ("28000", "28P01", "3D000", "42501"),
    ),
)
_GONE = ("57P01", "57P02", "57P03", "57P05")

AT_COMMIT = "while the transaction was committed"
"""Marks an error that came when all statements had gone well."""

_RACED = re.compile(r"uq_|fk_")
"""Constraints that two writers may meet in: what the first one wrote, the second sees at its next try."""


class UnstorableError(TypeError):
    """A value that cannot be written as JSON."""


@contextmanager
def translated() -> Iterator[None]:
    """Let errors of the database leave as errors of the platform."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError, sqlite3.Error) as error:
        raise translate(error) from error
    except StatementError as error:
        if not isinstance(error.orig, TypeError):
            raise
        raise _unstorable(error.orig) from error
    except UnstorableError as error:
        raise _unstorable(error) from error
    except OverflowError as error:
        if "SQLite" not in str(error):
            raise
        raise _unstorable("a whole number is too large") from error


def _unstorable(why: object) -> ValidationError:
    return ValidationError(
        f"A value cannot be stored: {why}; nothing was changed.",
        hint="Whole numbers have at most 64 bits, and JSON holds plain values only.",
    )


def translate(error: BaseException) -> MainSequenceError:
    """Give the platform's error for an error of the database."""
    if isinstance(error, PoolTimeoutError):
        return BusyError("All connections to the registry are in use; nothing was changed.", hint="Repeat the call.")
    if is_lost_at_commit(error):
        return StorageError(
            "The connection to the registry was lost while a change was committed: it may have been made or not.",
            hint="Read what you changed before you repeat the call.",
        )
    if isinstance(error, DataError):
        return ValidationError(f"The database refuses a value: {_first_line(error)}.", hint="Nothing was changed.")
    return _by_code(code_of(error), error) or _unknown(error)


def _by_code(code: str, error: BaseException) -> MainSequenceError | None:
    for known in _KNOWN:
        if code in known.codes or (known.prefixes and code.startswith(known.prefixes)):
            return known.kind(known.message.format(_first_line(error)), hint=known.hint)
    return None


def _unknown(error: BaseException) -> MainSequenceError:
    if is_lost(error):
        return BusyError("The registry's database went away; nothing was changed.", hint="Repeat the call.")
    if isinstance(error, DBAPIError) and _is_refused(error):
        return UnreachableStorageError(f"The registry cannot be reached: {_first_line(error)}.", hint=_DATABASE_HINT)
    if is_raced(error):
        return ConflictError("Another writer was there first; nothing was changed.", hint="Repeat the call.")
    return StorageError(f"The database failed: {_first_line(error)}.", hint="Nothing was changed.")


def _original(error: BaseException) -> Any:
    return error.orig if isinstance(error, DBAPIError) else error


def _first_line(error: BaseException) -> str:
    return str(_original(error)).strip().split("\n", 1)[0].rstrip(".")


def code_of(error: BaseException) -> str:
    """Give SQLite's name of an error, or its SQLSTATE; empty where there is neither."""
    original = _original(error)
    return getattr(original, "sqlite_errorname", "") or getattr(original, "sqlstate", "") or ""


def _is_refused(error: DBAPIError) -> bool:
    """Tell whether no connection could be made: then there is no statement, and no connection to lose."""
    return type(error.orig).__name__ == "OperationalError" and not code_of(error) and not error.connection_invalidated


def is_lost(error: BaseException) -> bool:
    """Tell whether the server let go of the connection, or is starting."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or code_of(error) in _GONE or code_of(error).startswith("08")


def is_lost_at_commit(error: BaseException) -> bool:
    """Tell whether the connection was lost while a transaction was committed: nobody knows what became of it."""
    return isinstance(error, DBAPIError) and AT_COMMIT in error.detail and is_lost(error)


def is_raced(error: BaseException) -> bool:
    """Tell whether a unique or foreign key stopped a writer, as another one was faster."""
    if code_of(error) not in ("23505", "23503"):
        return False
    constraint = _original(error).diag.constraint_name
    return bool(_RACED.match(constraint or ""))


def is_worth_another_try(error: BaseException) -> bool:
    """Tell whether the same unit of work, begun anew, may well succeed; nothing of it was kept."""
    if is_lost_at_commit(error):
        return False
    return code_of(error) in ("40001", "40P01") or is_lost(error) or is_raced(error)
