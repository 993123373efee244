"""ETag and If-Match: the optimistic lock of universes, in the words of HTTP."""

import re
from hashlib import sha256
from typing import Any

import orjson

from mainsequence.contract.operation import Operation
from mainsequence.domain.categories import CategoryRecord
from mainsequence.errors import ValidationError

_SHAPE = re.compile(r'"(\d{1,9})(-[0-9a-f]+)?"')
_WEAK = "W/"
"""What proxies write before the tag of an answer that they compress."""


def etag(answer: Any, content: bytes) -> str | None:
    """Give the tag of a universe: its revision, and a hash of all that describes it, in whichever order."""
    if not isinstance(answer, CategoryRecord):
        return None
    described = orjson.dumps(orjson.loads(content), option=orjson.OPT_SORT_KEYS)
    return f'"{answer.revision}-{sha256(described).hexdigest()[:16]}"'


def known(if_none_match: str | None) -> str | None:
    """Give the tag of what a client has already, without its quotes; ``*`` and lists of tags are none."""
    shaped = None if if_none_match is None else _SHAPE.fullmatch(if_none_match.strip().removeprefix(_WEAK))
    return None if shaped is None else shaped[0].strip('"')


def with_condition(operation: Operation[Any, Any], body: Any, if_match: str | None) -> Any:
    """Give what an operation takes with the revision that ``If-Match`` names.

    Raises
    ------
    ValidationError
        The operation cannot be conditional, the tag names no revision, or the body names another.
    """
    if if_match is None:
        return body
    if "if_revision" not in getattr(operation.takes, "model_fields", {}):
        raise ValidationError(f"{operation.name} knows no If-Match.", hint="Leave the header out.")
    shaped = _SHAPE.fullmatch(if_match.strip())
    if shaped is None:
        raise ValidationError(f"If-Match {if_match!r} names no revision.", hint="Send an ETag as it was received.")
    revision = int(shaped[1])
    if body.if_revision not in (None, revision):
        raise ValidationError(f"If-Match names revision {revision}, the body {body.if_revision}.", hint="Give one.")
    return body.model_copy(update={"if_revision": revision})
