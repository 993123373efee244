"""Pages of assets on SQLite: read in the order of their ids, however many assets there are."""

from pathlib import Path
from typing import Any

import pytest

from mainsequence.contract.assets import AssetQuery
from mainsequence.domain.access import LOCAL_OWNER
from mainsequence.platform.platform import Platform
from mainsequence.platform.registry import assets as registry
from mainsequence.platform.registry import documents
from mainsequence.platform.registry.tables import asset
from mainsequence.platform.services.assets import chosen
from mainsequence.settings import Settings


@pytest.fixture(params=[documents.asset_selection, registry.selection], ids=["documents", "records"])
def plan_of(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    platform = Platform.embedded(Settings(home=tmp_path))

    def steps(filters: dict[str, Any], after: int | None) -> list[str]:
        body = AssetQuery(filters=filters, after=after)
        with platform.work(LOCAL_OWNER, writes=False) as work:
            page = request.param().where(*chosen(work, body)).order_by(asset.c.id).limit(body.limit)
            made = page.compile(work.connection, compile_kwargs={"render_postcompile": True})
            given = tuple(made.params[name] for name in made.positiontup or ())
            return [row[3] for row in work.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {made}", given)]

    yield steps
    platform.close()


@pytest.mark.parametrize("after", [None, 5_000])
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({}, "rowid>?", id="all"),
        pytest.param({"unique_identifier__contains": "x"}, "rowid>?", id="what no index helps with"),
        pytest.param({"id__in": [3, 1]}, "rowid=?", id="ids"),
    ],
)
def test_no_page_sorts_all_assets(plan_of: Any, filters: dict[str, Any], found: str, after: int | None) -> None:
    plan = plan_of(filters, after)
    assert f"SEARCH asset USING INTEGER PRIMARY KEY ({found})" in plan
    assert not any("TEMP B-TREE" in step for step in plan)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"unique_identifier": "a"}, "organization_id=? AND unique_identifier=?"),
        ({"unique_identifier__in": ["a", "b"]}, "organization_id=? AND unique_identifier=?"),
        ({"figi__in": ["BBG000B9XRY4"]}, "figi=?"),
        ({"ticker__in": ["AAPL"]}, "ticker=?"),
    ],
)
def test_what_an_index_helps_with_is_looked_up_in_it(plan_of: Any, filters: dict[str, Any], found: str) -> None:
    assert any(f"({found}" in step for step in plan_of(filters, None))
