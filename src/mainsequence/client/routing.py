"""``msc.AssetTranslationTable``: which stored series serves an asset."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from mainsequence.client.assets import asset_id_of, asset_ids_of
from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.client.coverage import CoverageReport
from mainsequence.client.sharing import Shareable
from mainsequence.contract import routing as contract
from mainsequence.contract.sharing import TRANSLATION_TABLES
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.categories import CategoryRecord
from mainsequence.domain.routing import (
    AssetFilter,
    AssetTranslationRule,
    PossibleOverlapWarning,
    Route,
    TranslationTableRecord,
)
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.errors import ValidationError

Rule = AssetTranslationRule | Mapping[str, Any]
Universe = CategoryRecord | str


class AssetTranslationTable(Shareable, Noun[TranslationTableRecord], TranslationTableRecord):
    """A set of rules, of which exactly one must match an asset: it names the series that serves it.

    Rules are told apart by their filters. Every verb that changes rules is all or nothing, refreshes the object and
    returns it.
    """

    _query = contract.QUERY
    _get = contract.GET
    _sharing = TRANSLATION_TABLES
    _shown: ClassVar[tuple[str, ...]] = ("id", "unique_identifier", "rules")

    def _facts(self) -> dict[str, Any]:
        return super()._facts() | {"rules": [str(rule) for rule in self.__dict__.get("rules", ())] or None}

    @classmethod
    def get_or_create(
        cls,
        translation_table_identifier: str | None = None,
        rules: Iterable[Rule] = (),
        *,
        unique_identifier: str | None = None,
    ) -> Self:
        """Find the table with this identifier, or create it, and let it have these rules.

        A rule whose filter the table has already with another target replaces it; rules that are not named stay. Safe
        when many processes call it at once.

        Parameters
        ----------
        translation_table_identifier, unique_identifier
            Its stable name, under either of the two keywords.
        rules
            `AssetTranslationRule` objects, or mappings of their fields.

        Raises
        ------
        OverlappingRuleError
            A registered asset would match two rules; nothing is changed, and no table created.
        UnknownFieldError
            A filter field that does not exist; the message lists those that do.

        Warns
        -----
        PossibleOverlapWarning
            A new rule and another could match one asset, though none that is registered.
        """
        if (translation_table_identifier is None) == (unique_identifier is None):
            raise ValidationError("Name the table once.", hint="Give translation_table_identifier=….")
        name = translation_table_identifier if unique_identifier is None else unique_identifier
        where = carrier()
        body = contract.TableDeclaration.parse({"unique_identifier": name, "rules": _rules(rules)})
        change = where.call(contract.GET_OR_CREATE, body)
        _warn(change)
        return cls._bind(change.table, where)

    def add_rules(self, rules: Iterable[Rule]) -> Self:
        """Add rules; one whose filter the table has already replaces it. Errors and warnings as `get_or_create`."""
        change = self._call(contract.ADD_RULES, contract.RuleEdit(rules=_rules(rules)), key=self.id)
        _warn(change)
        return self._refresh(change.table)

    def remove_rules(
        self, rules: Iterable[Rule | AssetFilter] | None = None, *, rule_ids: Iterable[int] | None = None
    ) -> Self:
        """Take rules out.

        Parameters
        ----------
        rules
            Rules or filters; a rule is found by its filter.
        rule_ids
            Rules by the ids that the table gave them.

        Raises
        ------
        NotFoundError
            The table has no such rule; nothing is changed.
        """
        if rules is None and rule_ids is None:
            raise ValidationError("Name the rules to remove.", hint="Give rules=[…] or rule_ids=[…].")
        filters = [_filter(each) for each in _many("rules", rules or ())]
        body = contract.RuleRemoval.parse({"rule_ids": list(rule_ids or ()), "asset_filters": filters})
        return self._refresh(self._call(contract.REMOVE_RULES, body, key=self.id))

    def delete(self) -> None:
        """Delete the table with its rules.

        Raises
        ------
        InUseError
            Something refers to it; the message names what.
        """
        self._call(contract.DELETE, None, key=self.id)

    def refresh(self) -> Self:
        """Read the present rules again."""
        return self._refresh(self._call(contract.GET, None, key=self.id))

    # -- routes

    def evaluate_asset(self, asset: AssetRecord | int) -> Route:
        """Find the one route of one asset, given as an object or by its id; the routed series is not looked at.

        Raises
        ------
        NoRouteError
            No rule matches, or the share class has no listing on the rule's target exchange.
        AmbiguousRouteError
            Several rules match, or the share class has several listings there.
        UnknownAssetsError
            No asset has this id.
        """
        asset_id = asset_id_of(asset, self._carrier) if isinstance(asset, AssetRecord) else asset
        return self._call(contract.EVALUATE_ASSET, contract.OneAsset(asset_id=asset_id), key=self.id)

    def evaluate(
        self,
        assets: Sequence[AssetRecord] | None = None,
        *,
        asset_ids: Iterable[int] | None = None,
        category: Universe | None = None,
        as_of: TimeLike | None = None,
        revision: int | None = None,
    ) -> dict[str, Route]:
        """Find the one route of each of many assets in one call; parameters as `coverage`.

        Returns
        -------
        dict
            The routes by the assets' unique identifiers, in the order of their ids.

        Raises
        ------
        NoRouteError, AmbiguousRouteError
            As `evaluate_asset`, naming every asset that has no route; `coverage` reports instead.
        """
        report = self.coverage(
            category, assets=assets, asset_ids=asset_ids, as_of=as_of, revision=revision, check_series=False
        )
        report.raise_errors()
        return report.routes()

    def coverage(
        self,
        category: Universe | None = None,
        *,
        assets: Sequence[AssetRecord] | None = None,
        asset_ids: Iterable[int] | None = None,
        as_of: TimeLike | None = None,
        revision: int | None = None,
        check_series: bool = True,
    ) -> CoverageReport:
        """Report which assets are served and which are not, in one call that routes all of them at once.

        Parameters
        ----------
        category
            A universe, by object or by ``unique_identifier``, pinned or not: its members are routed.
        assets, asset_ids
            Or these assets. Without any of the three: every registered asset.
        as_of, revision
            Members at this time (by default now), as recorded at this revision (by default the head). Rules look at
            what assets are called now.
        check_series
            Whether to look into the routed series too: whether it exists, has the column and holds the asset, and the
            first and last stamp and number of observations that it really has.
        """
        named = None if assets is None and asset_ids is None else asset_ids_of(assets, asset_ids, self._carrier)
        body = contract.CoverageQuery(
            asset_ids=named,
            category=_named(category),
            as_of=None if as_of is None else to_datetime(as_of, "as_of"),
            revision=revision,
            check_series=check_series,
        )
        return CoverageReport(self._call(contract.COVERAGE, body, key=self.id))


def _named(category: Universe | None) -> str | None:
    """Give the reference of a universe: with its pin, where it is read at one."""
    if not isinstance(category, CategoryRecord):
        return category
    return getattr(category, "pin", None) or category.unique_identifier


def _rules(given: Iterable[Rule]) -> list[AssetTranslationRule]:
    return [AssetTranslationRule.parse(each) for each in _many("rules", given)]


def _many(what: str, given: Iterable[Any]) -> Iterable[Any]:
    if isinstance(given, str | Mapping | AssetTranslationRule | AssetFilter):
        raise ValidationError(f"{what} takes a list, got {given!r}.", hint=f"Write {what}=[…].")
    return given


def _filter(given: Rule | AssetFilter) -> AssetFilter:
    return given if isinstance(given, AssetFilter) else AssetTranslationRule.parse(given).asset_filter


def _warn(change: contract.TableChange) -> None:
    by_id = {rule.id: rule for rule in change.table.rules}
    for overlap in change.possible_overlaps:
        first, second = (by_id[each] for each in overlap.rule_ids)
        warnings.warn(
            f"An asset could match two rules of {change.table.unique_identifier!r}: {first} and {second}. "
            "None that is registered does; one that is registered later would have no route.",
            PossibleOverlapWarning,
            stacklevel=3,
        )
