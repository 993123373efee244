"""The page that the platform was made for prints these blocks; they are part of the contract, to the letter."""

import pytest

from tests.docs.pages import blocks
from tests.shared_data import ROOT

SEED = [
    "import mainsequence.client as msc",
    """asset_category = msc.AssetCategory.get_or_create(
    display_name="Mock Category Assets Tutorial",
    unique_identifier="mock_category_assets_tutorial",
    description="Tutorial asset universe for mock fixed-income examples.",
)""",
    "asset_category.append_assets(assets=assets)",
    "asset_category.append_assets(asset_ids=[101, 102, 103])",
    "category_assets = asset_category.get_assets()",
    "asset_category.remove_assets(asset_ids=[101, 102])",
    "asset_category.update_assets(asset_ids=[201, 202, 203])",
    """assets = ensure_test_assets()
asset_category = msc.AssetCategory.get_or_create(
    display_name="Mock Category Assets Tutorial",
    unique_identifier="mock_category_assets_tutorial",
)
asset_category.append_assets(assets=assets)""",
]


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/asset_categories.md"])
def test_the_seed_blocks_stand_as_printed_and_in_order(page: str):
    printed = ["\n".join(text) for language, _, text in blocks(ROOT / page) if language == "python"]
    of_the_seed = [block for block in printed if block in SEED]
    assert of_the_seed == SEED
