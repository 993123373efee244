"""What the vendor's client asks for by itself, while it is imported or first used."""

from typing import Any

from mainsequence.errors import NotFoundError
from mainsequence.server.wire.exchange import Call, Face

MARKETS = {
    "FIGI_SECURITY_TYPE_CRYPTO": "Crypto",
    "FIGI_SECURITY_TYPE_2_CRYPTO": "CRYPTO",
    "FIGI_SECURITY_TYPE_2_PERPETUAL": "PERPETUAL",
    "FIGI_SECURITY_TYPE_COMMON_STOCK": "Common Stock",
    "FIGI_SECURITY_TYPE_ETP": "ETP",
    "FIGI_MARKET_SECTOR_EQUITY": "Equity",
}
SERIES = {"DATA_SOURCE_TYPE_TIMESCALEDB": "timescale_db", "SCHEDULER_HEART_BEAT_FREQUENCY_SECONDS": 60}


def markets_constants(_call: Call) -> dict[str, Any]:
    """Give the words that this client compares types of securities with."""
    return MARKETS


def series_constants(_call: Call) -> dict[str, Any]:
    """Give the constants of its data nodes, which it reads although none can be run here."""
    return SERIES


def no_project(_call: Call) -> None:
    """Say that there are no projects: the client is imported all the same, and runs no data nodes."""
    raise NotFoundError("This platform has no projects and runs no jobs.", hint="Data nodes are in mainsequence.tdag.")


FACES = (
    Face("GET", "/orm/api/assets/api/constants", markets_constants, is_open=True),
    Face("GET", "/orm/api/ts_manager/api/constants", series_constants, is_open=True),
    Face("GET", "/orm/api/pods/job/get_job_startup_state/", no_project, is_open=True),
    Face("GET", "/orm/api/pods/projects/get_user_default_project/", no_project, is_open=True),
    Face("GET", "/orm/api/pods/projects/{key}/", no_project, is_open=True),
)
