"""What other processes do to a translation table; started by `spawn`, so importable by name."""

import mainsequence.client as msc
from tests.routing.tables import a_rule, a_table


def declare(worker: int, times: int) -> None:
    """Declare the same table again and again, with a rule of all, whose target changes, and a rule of one's own."""
    for number in range(times):
        own = a_rule(f"own_{worker}", unique_identifier=f"ASSET_{worker}_{number}")
        a_table(a_rule(f"shared_{worker}", security_type="Bond"), own)
        table = msc.AssetTranslationTable.get(unique_identifier="prices")
        assert len({rule.asset_filter.key for rule in table.rules}) == len(table.rules)
