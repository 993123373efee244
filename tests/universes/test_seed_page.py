"""The page that the platform was made for: its code blocks run as printed, in order, in one script, on a new home."""

import subprocess
import sys
from pathlib import Path

import pytest

import mainsequence.client as msc
from tests.shared_data import shared_data

BLOCKS = [
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

PRELUDE = """
import mainsequence.client as _registering

def ensure_test_assets():
    names = [{"unique_identifier": f"mock-{number}"} for number in range(1, 204)]
    return _registering.Asset.batch_get_or_register_custom_assets(names)[:3]

assets = ensure_test_assets()
"""

AFTER_EACH = {3: [1, 2, 3, 101, 102, 103], 4: [1, 2, 3, 101, 102, 103], 5: [1, 2, 3, 103], 6: [201, 202, 203]}


def test_the_blocks_run_as_printed_in_one_script(tmp_path: Path) -> None:
    script = tmp_path / "seed.py"
    shown = [
        f"{block}\nprint({number}, asset_category.assets)" if number else block for number, block in enumerate(BLOCKS)
    ]
    script.write_text(PRELUDE + "\n".join(shown))
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    for number, ids in AFTER_EACH.items():
        assert f"{number} {ids}" in lines
    stored = msc.AssetCategory.get(unique_identifier="mock_category_assets_tutorial")
    assert stored.assets == [1, 2, 3, 201, 202, 203]
    assert stored.description == "Tutorial asset universe for mock fixed-income examples."


@pytest.mark.parametrize("block", BLOCKS)
def test_the_blocks_are_those_of_the_page(block: str) -> None:
    page = shared_data("..", "seed", "asset_categories.txt").read_text()
    assert block in page
