"""Assets that a list names and nobody registered: what the list tells of them, and registering them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mainsequence.client.lists.asking import Asking
from mainsequence.client.lists.rows import Rows
from mainsequence.client.lists.sheets import RowLabel, Sheet, text_of
from mainsequence.contract import assets as contract
from mainsequence.domain.assets import AssetRegistration
from mainsequence.domain.resolution import IdentifierKind, Outcome

if TYPE_CHECKING:
    import pyarrow as pa

IDENTITY = ("isin", "figi", "composite", "share_class")
NAMES = ("name", "ticker", "exchange_code")


@dataclass(slots=True)
class Missing:
    """Assets to register, and the rows that name them."""

    assets: list[AssetRegistration]
    rows: list[RowLabel]

    @property
    def identifiers(self) -> list[str]:
        """Their unique identifiers."""
        return [each.unique_identifier for each in self.assets]

    def register(self, where: Asking) -> None:
        """Register them, all or none."""
        if self.assets:
            where.call(contract.REGISTER, contract.Registrations(assets=self.assets))


def missing_assets(
    sheet: Sheet, rows: Rows, roles: Mapping[str, str], table: "pa.Table", kind: IdentifierKind
) -> Missing:
    """Give the assets of rows that nobody is known for, each described by the first row that names it.

    Its unique identifier is what the list has in a column of that name, else the identifier, with a ticker's exchange
    behind a colon where the list tells it apart by that.
    """
    outcomes = iter(table.column("outcome").to_pylist())
    found: dict[str, AssetRegistration] = {}
    named = []
    for place, identifier in enumerate(rows.identifier):
        if identifier is None or next(outcomes) != Outcome.UNMATCHED:
            continue
        told = {role: text_of(sheet.columns[roles[role]][place]) for role in roles if role in (*IDENTITY, *NAMES)}
        key = _key(sheet, roles, rows, place, identifier)
        named.append(rows.labels[place])
        if key not in found:
            found[key] = sheet.known_as.get(identifier) or _registration(key, identifier, kind, told)
    return Missing(list(found.values()), named)


def _key(sheet: Sheet, roles: Mapping[str, str], rows: Rows, place: int, identifier: str) -> str:
    own = text_of(sheet.columns[roles["unique_identifier"]][place]) if "unique_identifier" in roles else None
    code = rows.exchange_code[place] if rows.exchange_code is not None else None
    return own or (identifier if code is None else f"{identifier}:{code}")


def _registration(key: str, identifier: str, kind: IdentifierKind, told: Mapping[str, str | None]) -> AssetRegistration:
    said: dict[str, Any] = {role: value for role, value in told.items() if value is not None}
    if kind not in (IdentifierKind.ANY, IdentifierKind.UNIQUE_IDENTIFIER):
        said[kind.value] = identifier
    snapshot = {"name": key} | {role: said.pop(role) for role in NAMES if role in said}
    return AssetRegistration.parse({"unique_identifier": key, **said, "snapshot": snapshot})
