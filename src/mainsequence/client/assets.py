"""``msc.Asset``: the identity of one instrument."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mainsequence.client.base import Noun
from mainsequence.client.connection import carrier
from mainsequence.contract import assets as contract
from mainsequence.contract.carrier import Carrier
from mainsequence.contract.queries import MAX_PAGE
from mainsequence.domain.assets import (
    AssetClassification,
    AssetRecord,
    AssetRegistration,
    AssetSnapshot,
    PricingDetail,
    SnapshotFields,
)
from mainsequence.domain.calendars import calendar_name_for
from mainsequence.domain.lookups import INT64
from mainsequence.domain.resolution import ListingPolicy
from mainsequence.domain.times import TimeLike, to_datetime
from mainsequence.domain.values import Value
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    from mainsequence.client.lists.report import ResolutionReport


class Calendar(Value):
    """A trading calendar by its name, as ``exchange_calendars`` and ``pandas_market_calendars`` use it."""

    name: str


class Asset(Noun[AssetRecord], AssetRecord):
    """The identity of one instrument.

    ``unique_identifier`` never changes; ``name``, ``ticker`` and ``exchange_code`` are those of now, earlier ones are
    in `snapshots`, as earlier types and sectors are in `classifications`. ``Asset.filter(ticker__in=["AAPL"])`` finds;
    fields change only through the object's verbs.
    """

    _query = contract.QUERY
    _get = contract.GET
    _shown: ClassVar[tuple[str, ...]] = (
        *("id", "unique_identifier", "name", "ticker", "exchange_code", "security_type", "figi", "isin", "retired_at"),
    )

    @classmethod
    def _page(cls, filters: dict[str, Any], limit: int, after: int | None) -> contract.AssetQuery:
        given = dict(filters)
        include_retired = given.pop("include_retired", False)
        return contract.AssetQuery(filters=given, limit=limit, after=after, include_retired=include_retired)

    @classmethod
    def _named(cls, where: Carrier | None, **names: Any) -> list[Self]:
        """Read assets by ids or identifiers, retired ones too, page by page; in the order of their ids."""
        found = cls._found(where or carrier(), MAX_PAGE, {**names, "include_retired": True})
        return sorted(found, key=lambda each: each.id)

    @classmethod
    def _with_ids(cls, where: Carrier, ids: list[int], read: Iterable[AssetRecord] = ()) -> list[Self]:
        """Give the assets with these ids, in this order, retired ones too; those not yet read come page by page."""
        found = {record.id: cls._bind(record, where) for record in read}
        missing = [each for each in ids if each not in found]
        if missing:
            asked = {"id__in": missing, "include_retired": True}
            found |= {each.id: each for each in cls._found(where, MAX_PAGE, asked)}
        return [found[each] for each in ids]

    @classmethod
    def create(cls, **fields: Any) -> Self:
        """Register a new asset.

        Parameters
        ----------
        **fields
            ``unique_identifier`` and any field of `AssetRegistration`; the names either in ``snapshot={…}`` or directly
            as ``name=``, ``ticker=``, ``exchange_code=``.

        Raises
        ------
        AlreadyExistsError
            The identifier is taken.
        UnknownFieldError
            A field that assets do not have.
        """
        where = carrier()
        return cls._bind(where.call(contract.CREATE, _registration(fields)), where)

    @classmethod
    def get_or_register_custom_asset(cls, **fields: Any) -> Self:
        """Find the asset with this ``unique_identifier``, unchanged, or register it."""
        return cls.batch_get_or_register_custom_assets([fields])[0]

    @classmethod
    def batch_get_or_register_custom_assets(cls, assets: Iterable[Mapping[str, Any] | AssetRegistration]) -> list[Self]:
        """Find or register many assets, in the order given; those that exist are returned unchanged.

        All or nothing: where one is refused, none is registered.

        Raises
        ------
        ValidationError
            Some cannot be read: the message names each of them by its position, counted from 0.
        """
        where = carrier()
        body = contract.Registrations(assets=_registrations(_each(assets, "assets")))
        if where.at_once is None or len(body.assets) <= where.at_once:
            return [cls._bind(record, where) for record in where.call(contract.REGISTER, body)]
        ids = where.call(contract.REGISTER_IDS, body)
        del body  # large, and no longer needed while what was registered is read
        return cls._with_ids(where, ids)

    @classmethod
    def register_asset_from_figi(cls, figi: str) -> Self:
        """Find or register the instrument behind a FIGI; its ``unique_identifier`` is the FIGI.

        Raises
        ------
        InvalidIdentifierError
            The FIGI is malformed, or its check digit is wrong.
        NotFoundError
            The configured resolver does not know it.
        """
        where = carrier()
        return cls._bind(where.call(contract.REGISTER_FIGI, contract.FigiRegistration(figi=figi)), where)

    @classmethod
    def resolve(
        cls,
        identifiers: "Iterable[str | tuple[str, str]]",
        kind: "str | tuple[str, str]" = "any",
        *,
        as_of: TimeLike | None = None,
        policy: ListingPolicy | None = None,
    ) -> "ResolutionReport":
        """Say for each identifier which asset it means, or why none; ten thousand are one call.

        Parameters
        ----------
        identifiers
            Text, or pairs ``(ticker, exchange code)``.
        kind
            What they are: ``unique_identifier``, ``isin``, ``figi``, ``composite``, ``share_class``, ``ticker``,
            ``name``, or ``any`` of these.
        as_of
            When the assets were called so; by default now. Who had a ticker then wins over who has it at other times.
        policy
            How to choose where an identifier fits several assets; without one it is ambiguous.

        Returns
        -------
        ResolutionReport
            A row for each identifier: matched, renamed, duplicate, ambiguous, delisted or unmatched.
        """
        from mainsequence.client.lists.asking import Asking
        from mainsequence.client.lists.resolving import resolve

        return resolve(Asking(carrier().call), identifiers, kind, as_of, policy)

    def patch(self, **fields: Any) -> Self:
        """Change fields; of names, tickers, types and sectors, those before stay readable.

        Parameters
        ----------
        **fields
            Any but ``unique_identifier``. ``effective_from`` says since when the new names (`snapshots`), or the new
            ``security_type``, ``security_type_2`` and ``security_market_sector`` (`classifications`), hold: by default
            now. Other fields have no history.

        Raises
        ------
        UnknownFieldError
            A field that cannot be changed; ``unique_identifier`` never can.
        InvalidIntervalError
            ``effective_from`` is in the future, or not after the beginning of what holds at present.
        """
        given = dict(fields)
        given.update(given.pop("snapshot", None) or {})
        return self._refresh(self._call(contract.PATCH, contract.AssetPatch(**given), key=self.id))

    def delete(self) -> Self:
        """Retire the asset: it leaves every universe, in a revision of its own; its past stays readable."""
        return self._refresh(self._call(contract.RETIRE, None, key=self.id))

    def refresh(self) -> Self:
        """Read the present fields again."""
        return self._refresh(self._call(contract.GET, None, key=self.id))

    def snapshots(self) -> list[AssetSnapshot]:
        """Read what the instrument was called over time, oldest first."""
        return self._call(contract.SNAPSHOTS, None, key=self.id)

    def classifications(self) -> list[AssetClassification]:
        """Read the types and the sector of the instrument over time, oldest first."""
        return self._call(contract.CLASSIFICATIONS, None, key=self.id)

    def get_calendar(self) -> Calendar:
        """Give the trading calendar: the asset's own, else its exchange's, ``24/7`` for crypto.

        Raises
        ------
        UnknownCalendarError
            Neither is known; there is no silent default.
        """
        kinds = (self.security_type, self.security_type_2, self.security_market_sector)
        name = calendar_name_for(
            self.unique_identifier, calendar=self.calendar_name, exchange_code=self.exchange_code, kinds=kinds
        )
        from mainsequence.compute.sessions import schedule

        return Calendar(name=schedule(name).calendar)

    def add_instrument_pricing_details(
        self, instrument_dump: Mapping[str, Any], pricing_details_date: datetime | str
    ) -> Self:
        """Store the terms with which the instrument is priced, in place of those before."""
        at = to_datetime(pricing_details_date, "pricing_details_date")
        detail = PricingDetail(instrument_dump=dict(instrument_dump), pricing_details_date=at)
        return self._refresh(self._call(contract.SET_PRICING, detail, key=self.id))

    def clear_asset_pricing_details(self) -> Self:
        """Drop the terms with which the instrument is priced."""
        return self._refresh(self._call(contract.CLEAR_PRICING, None, key=self.id))


def _registrations(given: list[Any]) -> list[AssetRegistration]:
    read: list[AssetRegistration] = []
    refused: list[tuple[int, ValidationError]] = []
    for at, each in enumerate(given):
        try:
            read.append(_registration(each))
        except ValidationError as error:
            refused.append((at, error))
    if not refused:
        return read
    if len(given) == 1:
        raise refused[0][1]
    told = " ".join(f"Item {at}: {error.message}" for at, error in refused[:10])
    raise type(refused[0][1])(
        f"{len(refused)} of {len(given)} assets are refused, none is registered. {told}",
        hint=refused[0][1].hint,
        items=[at for at, _ in refused[:1_000]],
    )


def _registration(given: Mapping[str, Any] | AssetRegistration) -> AssetRegistration:
    """Read a registration whose names may stand in ``snapshot`` or directly beside the identity."""
    if isinstance(given, AssetRegistration):
        return given
    if not isinstance(given, Mapping):
        raise ValidationError(f"An asset is registered from a mapping of fields, got {given!r}.")
    fields = dict(given)
    snapshot = dict(fields.pop("snapshot", None) or {})
    snapshot.update({name: fields.pop(name) for name in SnapshotFields.model_fields if name in fields})
    if snapshot:
        snapshot.setdefault("name", fields.get("unique_identifier"))
        fields["snapshot"] = snapshot
    return AssetRegistration(**fields)


def asset_ids_of(
    assets: Iterable[AssetRecord] | None, asset_ids: Iterable[int] | None, where: Carrier | None = None
) -> list[int]:
    """Give the ids that a verb names, either by objects or by ids.

    Parameters
    ----------
    assets, asset_ids
        Objects or ids, one of the two; any iterable.
    where
        The platform that will use the ids: objects read from another one are refused.

    Raises
    ------
    ValidationError
        Both or neither are given, or something that is no asset, or an asset of another platform.
    """
    if (assets is None) == (asset_ids is None):
        raise ValidationError("Name the assets once.", hint="Give assets=[…] or asset_ids=[…], one of the two.")
    if assets is not None:
        return [asset_id_of(each, where) for each in _each(assets, "assets")]
    ids = _each(asset_ids, "asset_ids")
    return ids if set(map(type, ids)) <= {int} and all(abs(each) < INT64 for each in ids) else list(map(_whole, ids))


def _each(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, bytes, Mapping)) or hasattr(values, "columns") or not isinstance(values, Iterable):
        raise ValidationError(f"{name} takes a list, got {values!r}.", hint=f"Write {name}=[…].")
    return list(values)


def asset_id_of(value: Any, where: Carrier | None = None) -> int:
    """Give the id of an asset for a platform.

    Raises
    ------
    ValidationError
        It is no asset, or one of another platform, where its number means something else.
    """
    if not isinstance(value, AssetRecord):
        raise ValidationError(f"This takes Asset objects, got {value!r}.", hint="For ids use asset_ids=[…].")
    bound = value._carrier if isinstance(value, Asset) else None  # noqa: SLF001 - of this class
    if bound is not None and where is not None and bound is not where and bound.describe() != where.describe():
        raise ValidationError(
            f"{value.unique_identifier} was read from another platform ({bound.describe()}).",
            hint=f"Read it again from {where.describe()}: Asset.get(unique_identifier=…).",
        )
    return value.id


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or abs(value.__index__()) >= INT64:
        raise ValidationError(
            f"asset_ids takes whole numbers, got {value!r}.", hint="For Asset objects use assets=[…]."
        )
    return int(value.__index__())
