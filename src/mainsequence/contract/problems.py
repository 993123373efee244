"""Errors on the wire: RFC 9457 problem documents, and back to the class that was raised."""

from typing import Any

from mainsequence.errors import MainSequenceError, by_code

MEDIA_TYPE = "application/problem+json"


def to_problem(error: MainSequenceError) -> dict[str, Any]:
    """Write an error as a problem document."""
    return {
        "type": f"urn:mainsequence:error:{error.code}",
        "title": type(error).__name__,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "hint": error.hint,
        "context": error.context,
    }


def from_problem(problem: dict[str, Any]) -> MainSequenceError:
    """Rebuild the error that a problem document describes."""
    kind = by_code().get(str(problem.get("code")), MainSequenceError)
    message = str(problem.get("detail") or problem.get("title") or "The server reported an error.")
    return kind(message, hint=problem.get("hint"), **(problem.get("context") or {}))
