"""``DataNode``: declare what fills a series, what it depends on, and run the tree.

Names are loaded when they are first used; importing this package loads neither pandas nor Polars.
"""

from typing import TYPE_CHECKING

from mainsequence.lazy import loaded_when_used

if TYPE_CHECKING:
    from mainsequence.tdag.configuration import DataNodeConfiguration, DisplayOnly, UpdateOnly
    from mainsequence.tdag.external import APIDataNode
    from mainsequence.tdag.metadata import DataNodeMetaData, RecordDefinition
    from mainsequence.tdag.node import DataNode
    from mainsequence.tdag.outcomes import NodeOutcome, RunResult
    from mainsequence.tdag.reading import AssetRange
    from mainsequence.tdag.statistics import UpdateStatistics
    from mainsequence.tdag.wrapper import WrapperDataNode

_HOMES = {
    "APIDataNode": "mainsequence.tdag.external",
    "AssetRange": "mainsequence.tdag.reading",
    "DataNode": "mainsequence.tdag.node",
    "DataNodeConfiguration": "mainsequence.tdag.configuration",
    "DataNodeMetaData": "mainsequence.tdag.metadata",
    "DisplayOnly": "mainsequence.tdag.configuration",
    "NodeOutcome": "mainsequence.tdag.outcomes",
    "RecordDefinition": "mainsequence.tdag.metadata",
    "RunResult": "mainsequence.tdag.outcomes",
    "UpdateOnly": "mainsequence.tdag.configuration",
    "UpdateStatistics": "mainsequence.tdag.statistics",
    "WrapperDataNode": "mainsequence.tdag.wrapper",
}

__all__ = [
    "APIDataNode",
    "AssetRange",
    "DataNode",
    "DataNodeConfiguration",
    "DataNodeMetaData",
    "DisplayOnly",
    "NodeOutcome",
    "RecordDefinition",
    "RunResult",
    "UpdateOnly",
    "UpdateStatistics",
    "WrapperDataNode",
]

__getattr__, __dir__ = loaded_when_used(__name__, _HOMES)
