"""The assets of portfolios, each with the portfolio that it stands for."""

from mainsequence.contract import assets as contract
from mainsequence.contract import portfolios as portfolio_contract
from mainsequence.contract.queries import MAX_PAGE, Query
from mainsequence.domain.assets import ASSET_ALIASES, ASSET_LOOKUPS
from mainsequence.domain.lookups import spelt_out
from mainsequence.domain.portfolios import INDEX_ASSET_TYPE, PORTFOLIO_LOOKUPS
from mainsequence.domain.values import Page
from mainsequence.errors import NotFoundError
from mainsequence.server.wire import assets, shapes
from mainsequence.server.wire.exchange import Call, Face
from mainsequence.server.wire.paging import filters_of, page
from mainsequence.server.wire.shapes import Document, IndexAssetShape, PageShape

_OF = "reference_portfolio__"
_HASH = f"{_OF}data_node_update__update_hash"
_TYPE, _NAMES = "security_type", "unique_identifier__in"


def listing(call: Call) -> PageShape:
    """List the assets of portfolios, by filters on the assets and on the portfolios."""
    given = filters_of(call)
    on_portfolios = {name: given.pop(name) for name in list(given) if name.startswith(_OF)}
    filters = spelt_out(given, ASSET_LOOKUPS, ASSET_ALIASES)
    if on_portfolios:
        named = _named_by(call, on_portfolios)
        filters[_NAMES] = sorted(named & set(filters[_NAMES]) if _NAMES in filters else named)
    if filters.setdefault(_TYPE, INDEX_ASSET_TYPE) != INDEX_ASSET_TYPE:
        return page(call, Page[Document](results=[]), list)
    return page(call, assets.found(call, filters), lambda documents: _shaped(call, documents))


def _named_by(call: Call, on_portfolios: dict[str, str]) -> set[str]:
    """Give the identifiers of the portfolios that fit; none has an update of a data node to be found by."""
    if any(name.startswith(_HASH) for name in on_portfolios):
        return set()
    plain = {name.removeprefix(_OF): value for name, value in on_portfolios.items()}
    asked = Query(filters=spelt_out(plain, PORTFOLIO_LOOKUPS), limit=MAX_PAGE)
    return {each.unique_identifier for each in call.ask(portfolio_contract.QUERY, asked).results}


def _shaped(call: Call, documents: list[Document]) -> list[IndexAssetShape]:
    portfolios = assets.portfolios_of(call, documents)
    found = [(each, portfolios.get(each["unique_identifier"])) for each in documents]
    return [shapes.index_asset(each, portfolio) for each, portfolio in found if portfolio is not None]


def one(call: Call) -> IndexAssetShape:
    """Read the asset of one portfolio, by its own id."""
    record = call.ask(contract.GET, None, key=call.key)
    for shaped in _shaped(call, [shapes.document(record)]):
        return shaped
    raise NotFoundError(f"There is no asset of a portfolio with id {call.key}.")


_ALL = "/orm/api/assets/portfolio_index_asset/"

FACES = (
    Face("GET", _ALL, listing),
    Face("POST", f"{_ALL}query/", listing),
    Face("GET", f"{_ALL}{{key}}/", one),
)
