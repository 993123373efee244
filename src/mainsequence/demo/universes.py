"""The assets of the main job, and the two universes that it compares."""

from collections import defaultdict
from datetime import UTC, date, datetime, time

import mainsequence.client as msc
from mainsequence.demo.membership import COMPANIES, Company, Spell

AS_THEY_WERE = "sp500_large_caps"
TODAYS = "sp500_large_caps_today"


def register_assets() -> list[msc.Asset]:
    """Register the companies under their FIGIs, or find them; in the order of `COMPANIES`."""
    return msc.Asset.batch_get_or_register_custom_assets(
        [
            {
                "unique_identifier": company.figi,
                "figi": company.figi,
                "composite": company.figi,
                "security_market_sector": "Equity",
                "security_type": "Common Stock",
                "snapshot": {"name": company.name, "ticker": company.ticker, "exchange_code": "US"},
            }
            for company in COMPANIES
        ]
    )


def build_dated_universe(assets: list[msc.Asset]) -> msc.AssetCategory:
    """Make the universe whose members are known for each day, one revision for each date on which companies joined."""
    universe = msc.AssetCategory.get_or_create(
        display_name="S&P 500 large caps",
        unique_identifier=AS_THEY_WERE,
        description="Twenty large US companies, for the time in which each was a member of the S&P 500.",
    )
    for spell, members in _by_spell(assets).items():
        universe.append_assets(
            assets=members,
            effective_from=_midnight(spell.start),
            effective_to=None if spell.end is None else _midnight(spell.end),
            reason=spell.source,
        )
    return universe


def build_undated_universe(assets: list[msc.Asset]) -> msc.AssetCategory:
    """Make the universe that forgets: today's members, for all of history."""
    universe = msc.AssetCategory.get_or_create(
        display_name="S&P 500 large caps, today's members",
        unique_identifier=TODAYS,
        description="Those of the twenty that are members today, as if they always had been.",
    )
    by_figi = {asset.unique_identifier: asset for asset in assets}
    return universe.update_assets(assets=[by_figi[company.figi] for company in COMPANIES if company.is_member_today])


def by_joining() -> list[Company]:
    """Give the companies in the order in which they joined."""
    return sorted(COMPANIES, key=lambda company: (company.spells[0].start, company.ticker))


def _by_spell(assets: list[msc.Asset]) -> dict[Spell, list[msc.Asset]]:
    by_figi = {asset.unique_identifier: asset for asset in assets}
    members: dict[Spell, list[msc.Asset]] = defaultdict(list)
    for company in COMPANIES:
        for spell in company.spells:
            members[spell].append(by_figi[company.figi])
    return dict(sorted(members.items(), key=lambda item: item[0].start))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
