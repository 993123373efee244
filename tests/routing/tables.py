"""Assets, rules and tables that the tests of routing share."""

from typing import Any

import mainsequence.client as msc

SHARE_CLASS = "BBG001S5N8V8"  # Apple's; the other one below is Amazon's
OTHER_SHARE_CLASS = "BBG001S5PQL7"


def an_asset(identifier: str, **fields: Any) -> msc.Asset:
    return msc.Asset.get_or_register_custom_asset(unique_identifier=identifier, **fields)


def a_rule(series: str = "bars", exchange: str | None = None, **conditions: str) -> msc.AssetTranslationRule:
    return msc.AssetTranslationRule(
        asset_filter=msc.AssetFilter(**conditions),
        markets_time_serie_unique_identifier=series,
        target_exchange_code=exchange,
    )


def a_table(*rules: msc.AssetTranslationRule, name: str = "prices") -> msc.AssetTranslationTable:
    return msc.AssetTranslationTable.get_or_create(translation_table_identifier=name, rules=list(rules))


def stored(name: str = "prices") -> list[msc.AssetTranslationRule]:
    return msc.AssetTranslationTable.get(unique_identifier=name).rules
