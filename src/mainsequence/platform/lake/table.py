"""One open table: its log, and what reads it."""

from collections.abc import Hashable

from mainsequence.platform.lake.derived import DerivedCache
from mainsequence.platform.lake.latest import LatestReader
from mainsequence.platform.lake.log import TableLog
from mainsequence.platform.lake.reading import TableReader
from mainsequence.platform.lake.statistics import StatisticsCounter
from mainsequence.platform.lake.storage import Storage
from mainsequence.platform.lake.wide import WideBuilder


class LakeTable:
    """The parts that share one incarnation of a table."""

    def __init__(self, storage: Storage, name: str, fingerprint: Hashable) -> None:
        self.log = TableLog(storage.uri(name), storage.options, fingerprint)
        self.reader = TableReader(storage, name, self.log.schema)
        cache = DerivedCache(storage.derived / name / self.log.table_id if storage.derived else None)
        self.statistics = StatisticsCounter(self.reader, cache)
        self.latest = LatestReader(self.reader, self.statistics)
        self.wide = WideBuilder(self.reader, cache)
