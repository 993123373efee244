"""What configures a node, and which of its fields define the node's identity."""

import inspect
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic.fields import FieldInfo

from mainsequence.domain.values import Value
from mainsequence.errors import ConfigurationError, ValidationError


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


def configured(node: type, config: Any, fields: Mapping[str, Any]) -> DataNodeConfiguration:
    """Make the configuration of a node from what its constructor was given.

    Raises
    ------
    ValidationError
        Fields beside a ready configuration, or a configuration of another class.
    """
    wanted = configuration_class_of(node)
    if config is None:
        return wanted(**fields)
    if fields:
        raise ValidationError(
            f"{node.__name__} was given config= and the fields {', '.join(map(repr, fields))}.",
            hint="Give one of the two.",
        )
    if not isinstance(config, wanted):
        raise ValidationError(f"{node.__name__} is configured by a {wanted.__name__}, not by {config!r}.")
    return config


def configuration_class_of(node: type) -> type[DataNodeConfiguration]:
    """Give the class that configures a node: its ``configuration_class``, else the annotation of ``config``.

    Raises
    ------
    ConfigurationError
        The annotation cannot be read, or is no `DataNodeConfiguration`.
    """
    for base in node.__mro__:
        named = base.__dict__.get("configuration_class")
        found = named or inspect.get_annotations(base).get("config")
        if found is not None:
            return _checked(node, _evaluated(base, found))
    return DataNodeConfiguration


def _evaluated(owner: type, found: Any) -> Any:
    if not isinstance(found, str):
        return found
    names = vars(sys.modules[owner.__module__])
    try:
        return get_type_hints(SimpleNamespace(__annotations__={"config": found}), globalns=names)["config"]
    except NameError:
        return found


def _checked(node: type, found: Any) -> type[DataNodeConfiguration]:
    if isinstance(found, type) and issubclass(found, DataNodeConfiguration):
        return found
    raise ConfigurationError(
        f"{node.__name__} annotates config as {found!r}, which is no DataNodeConfiguration that can be found.",
        hint="Define that class at the top of a module, or set configuration_class = … in the node.",
    )
