"""What configures a node, and which of its fields define the node's identity."""

from typing import Any

from pydantic.fields import FieldInfo

from mainsequence.domain.values import Value


class DisplayOnly:
    """Marks a field or argument that is for people and changes nothing: it enters no hash.

    Written ``note: Annotated[str, DisplayOnly] = ""``, or ``Field("", json_schema_extra={"display_only": True})``.
    """


class UpdateOnly:
    """Marks a field or argument that says which part of the series this node updates, such as a list of assets.

    It enters the ``update_hash`` but not the ``storage_hash``: nodes that differ only in it fill one series together.
    Written like `DisplayOnly`; in ``json_schema_extra`` as ``{"update_only": True}``.
    """


class DataNodeConfiguration(Value):
    """Base of a node's configuration: immutable, unknown fields refused.

    Every field enters the node's identity, but those marked `DisplayOnly`; see also `UpdateOnly`.
    """


def is_marked(field: FieldInfo, marker: type[DisplayOnly] | type[UpdateOnly]) -> bool:
    """Tell whether a pydantic field carries a marker."""
    extra = field.json_schema_extra
    named = {DisplayOnly: "display_only", UpdateOnly: "update_only"}[marker]
    return carries(field.metadata, marker) or (isinstance(extra, dict) and extra.get(named) is True)


def carries(annotations: Any, marker: type[DisplayOnly] | type[UpdateOnly]) -> bool:
    """Tell whether a marker, as class or instance, is among the annotations of a type."""
    return any(each is marker or isinstance(each, marker) for each in annotations)
