"""What Prometheus reads at ``/metrics``: counters of one server process, in a registry of their own.

Every process counts for itself. Where several serve one platform, each is scraped by itself, as a target of its own.
"""

import platform as machine
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
OTHER = "other"
"""What requests at no operation's address count as: addresses are made up by clients, names of operations are not."""


class Metrics:
    """The counters of one application.

    Parameters
    ----------
    engine
        The registry, whose pool of connections is shown.
    """

    def __init__(self, engine: Engine) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "mainsequence_requests",
            "Requests answered.",
            ("operation", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "mainsequence_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ("operation",),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge("mainsequence_requests_in_flight", "Requests being answered.", registry=registry)
        self._writes = Counter(
            "mainsequence_writes",
            "Writes that were carried out.",
            ("operation",),
            registry=registry,
        )
        self.limited = Counter(
            "mainsequence_rate_limited", "Requests refused because their client asks too often.", registry=registry
        )
        self.failed_logins = Counter(
            "mainsequence_failed_logins", "Tokens that did not hold and passwords that were wrong.", registry=registry
        )
        self.remembered = Counter(
            "mainsequence_remembered_answers", "Reads answered from memory, unchanged since.", registry=registry
        )
        build = Gauge("mainsequence_build", "Which release this is.", ("version", "python"), registry=registry)
        build.labels(version("mainsequence-platform"), machine.python_version()).set(1)
        registry.register(_Pool(engine))
        ProcessCollector(registry=registry)
        self._children: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def count(self, operation: str | None, method: str, status: int, seconds: float, *, writes: bool) -> None:
        """Count one request that was answered."""
        labels = (operation or OTHER, method if operation else OTHER, status)
        children = self._children.get(labels)
        if children is None:
            made = self._requests.labels(labels[0], labels[1], str(status)), self._seconds.labels(labels[0])
            children = self._children[labels] = made
        children[0].inc()
        children[1].observe(seconds)
        if writes and status < 300:
            self._writes.labels(labels[0]).inc()

    def exposition(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _Pool(Collector):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def collect(self) -> Iterable[GaugeMetricFamily]:
        pool = self.engine.pool
        shown = GaugeMetricFamily(
            "mainsequence_registry_connections", "Connections to the registry's database.", labels=["state"]
        )
        if isinstance(pool, QueuePool):
            shown.add_metric(["in_use"], pool.checkedout())
            shown.add_metric(["idle"], pool.checkedin())
        yield shown
