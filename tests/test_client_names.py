"""Importing the client costs nothing, and its names are exactly those promised."""

import subprocess
import sys

import mainsequence.client as msc

HEAVY = ("sqlalchemy", "polars", "pandas", "numpy", "pyarrow", "pydantic", "numba", "deltalake", "alembic")


def loaded_after(code: str) -> set[str]:
    script = f"{code}; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    return set(
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    )


def test_importing_the_client_loads_nothing_heavy() -> None:
    assert loaded_after("import mainsequence.client as msc") == set()


def test_naming_the_classes_loads_pydantic_alone() -> None:
    code = "import mainsequence.client as msc; msc.Asset; msc.AssetCategory; msc.AssetTranslationTable; msc.Series"
    assert loaded_after(code) == {"pydantic"}


def test_working_with_universes_loads_no_frames() -> None:
    code = "import mainsequence.client as msc; msc.AssetCategory.get_or_create(unique_identifier='u').get_assets()"
    assert loaded_after(code) <= {"pydantic", "sqlalchemy", "numpy", "alembic"}


def test_a_star_import_gives_exactly_the_promised_names() -> None:
    names: dict[str, object] = {}
    exec("from mainsequence.client import *", names)
    assert set(names) - {"__builtins__"} == set(msc.__all__)
    assert sorted(msc.__all__) == list(msc.__all__)
    assert all(getattr(msc, name).__doc__ for name in msc.__all__)
