"""``mainsequence doctor``: each thing that can be wrong is found, said, and comes with what to do; nothing changes."""

import re
import sqlite3
import subprocess
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import mainsequence.client as msc
from mainsequence.client.connection import disconnect
from mainsequence.domain.findings import Level, skew
from mainsequence.platform.installation import examine_installation
from tests.carriers.servers import a_server
from tests.cli.runner import answer, run
from tests.faults.programs import free_port
from tests.object_store import an_object_store


def findings(*words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """The findings by check, the worst of each."""
    order = ["ok", "warn", "fail"]
    found = sorted(answer("doctor", *words, code=code), key=lambda each: order.index(each["level"]))
    return {each["check"]: each for each in found}


def contents(folder: Path) -> dict[str, bytes]:
    kept = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path): path.read_bytes() for path in kept}


def used() -> None:
    """A platform in use: an asset, a universe, a series."""
    assets = msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "a"}])
    msc.AssetCategory.get_or_create(unique_identifier="u", assets=assets)
    msc.Series.create("s", {"value": "float64"}, by_asset=False)
    disconnect()


@pytest.mark.unopened
def test_a_fresh_machine_is_fine_and_stays_as_it_is(home: Path) -> None:
    found = findings()
    assert {each["level"] for each in found.values()} == {"ok"}
    assert {"settings", "python", "release", "libraries", "home", "space", "database", "lake"} <= found.keys()
    assert not home.exists()


def test_a_platform_in_use_is_fine_and_stays_as_it_is(home: Path) -> None:
    used()
    findings()
    before = contents(home)
    found = findings()
    assert {each["level"] for each in found.values()} == {"ok"}
    assert {"version", "integrity", "references", "validity", "revisions", "series"} <= found.keys()
    assert "took, gave back and let go" in found["lake"]["found"]
    assert contents(home) == before


def test_people_get_a_table_and_a_verdict() -> None:
    ran = run("doctor")
    assert ran.stdout.splitlines()[0].split() == ["level", "check", "found", "advice"]
    assert "Nothing fails." in ran.stderr


@pytest.mark.parametrize(
    ("name", "meant"), [("MAINSEQUENCE_HOEM", "MAINSEQUENCE_HOME"), ("MAINSEQUENCE_TOKENS", "MAINSEQUENCE_TOKEN")]
)
def test_a_setting_that_nobody_reads_is_named_with_its_neighbour(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "x")
    found = findings()["settings"]
    assert found["level"] == "warn"
    assert name in found["found"]
    assert found["advice"] == f"Did you mean {meant}?"


def test_a_setting_that_cannot_be_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", "mysql://x")
    assert "postgresql+psycopg" in findings(code=1)["settings"]["advice"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAINSEQUENCE_RATE_LIMIT", "plenty"),
        ("MAINSEQUENCE_JWT_KEY", "short"),
        ("MAINSEQUENCE_CORS_ORIGINS", "https://desk.example,https://other.example/"),
        ("MAINSEQUENCE_TRUSTED_PROXIES", "10.0.0.1,proxy"),
        ("MAINSEQUENCE_FIGI_RESOLVER", "nobody:knows"),
    ],
)
def test_a_setting_that_a_server_would_trip_over_fails(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    found = findings(code=1)["settings"]
    assert (found["level"], name in found["found"]) == ("fail", True)
    assert found["advice"]


def test_settings_of_a_server_that_hold_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_RATE_LIMIT", "100,500")
    monkeypatch.setenv("MAINSEQUENCE_JWT_KEY", "k" * 32)
    monkeypatch.setenv("MAINSEQUENCE_CORS_ORIGINS", "https://desk.example:8443, http://localhost:3000")
    monkeypatch.setenv("MAINSEQUENCE_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16, ::1")
    assert findings()["settings"]["level"] == "ok"


def test_a_home_that_is_a_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MAINSEQUENCE_HOME", str(tmp_path / "file"))
    assert "no folder" in findings(code=1)["home"]["found"]


def test_a_damaged_registry_fails(home: Path) -> None:
    used()
    with sqlite3.connect(home / "registry.db") as connection:
        connection.execute("UPDATE category SET head_revision = 7")
    found = findings(code=1)["revisions"]
    assert found["level"] == "fail"
    assert "backup" in found["advice"]


@pytest.mark.parametrize(("version", "level", "code"), [("0000", "warn", 0), ("9999", "fail", 1)])
def test_a_registry_of_another_release_is_said(home: Path, version: str, level: str, code: int) -> None:
    used()
    with sqlite3.connect(home / "registry.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    found = findings(code=code)["version"]
    assert found["level"] == level
    assert version in found["found"]


def test_a_series_without_its_table_fails(home: Path) -> None:
    used()
    (table,) = (home / "series").glob("s-*")
    table.rename(home / "moved")
    assert "1 series" in findings(code=1)["series"]["found"]


def test_a_clock_that_is_behind_what_was_recorded_fails(home: Path) -> None:
    used()
    with sqlite3.connect(home / "registry.db") as connection:
        later = int((time.time() + 3600) * 1e6)
        connection.execute("UPDATE category_revision SET recorded_at = ?", (later,))
    assert "in the future" in findings(code=1)["clock"]["found"]


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.4, Level.OK), (-7, Level.WARN), (7, Level.WARN), (-3600, Level.FAIL)]
)
def test_other_clocks_are_judged_by_how_far_they_are(seconds: float, level: Level) -> None:
    assert skew("clock", seconds, "the server's clock").level is level


def test_a_full_or_read_only_lake_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        monkeypatch.setenv("MAINSEQUENCE_LAKE", str(disk))
        assert "only be read" in findings(code=1)["lake"]["found"]
        monkeypatch.setenv("MAINSEQUENCE_LAKE", str(disk / "series"))
        assert f"cannot be made in {disk}" in findings(code=1)["lake"]["found"]
        monkeypatch.setenv("MAINSEQUENCE_LAKE", str(disk))
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        subprocess.run(["dd", "if=/dev/zero", f"of={disk}/rest", "bs=4k"], check=False, capture_output=True)
        assert "No space" in findings(code=1)["lake"]["found"]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_lake_that_the_first_series_could_not_make_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MAINSEQUENCE_LAKE", str(tmp_path / "file" / "series"))
    found = findings(code=1)["lake"]
    assert f"cannot be made in {tmp_path / 'file'}" in found["found"]
    assert "MAINSEQUENCE_LAKE" in found["advice"]


def test_a_database_server_that_does_not_run_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", f"postgresql+psycopg://x:y@127.0.0.1:{free_port()}/x")
    found = findings(code=1)["database"]
    assert "cannot be reached" in found["found"]
    assert "that its server runs" in found["advice"]


def test_postgresql_is_examined(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.postgresql import new_database

    with new_database() as url:
        monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", url)
        used()
        found = findings("--server")
        assert {each["level"] for each in found.values()} == {"ok"}
        assert {"postgresql", "clock", "validity"} <= found.keys()
        monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", re.sub(r"/\w+\?", "/no_such_database?", url))
        found = findings(code=1)
    assert found["database"]["level"] == "fail"
    assert "MAINSEQUENCE_DATABASE_URL" in found["database"]["advice"]


def test_an_object_store_is_examined_and_nothing_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import obstore
    from obstore.store import from_url

    place = an_object_store(monkeypatch)
    monkeypatch.setenv("MAINSEQUENCE_LAKE", place)
    assert findings()["lake"]["level"] == "ok"
    assert obstore.list(from_url(place)).collect() == []
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "refuses the keys" in findings(code=1)["lake"]["found"]
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    assert "AWS_ALLOW_HTTP" in findings(code=1)["settings"]["advice"]


def test_a_server_is_examined_from_its_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_server(tmp_path / "served") as (address, token):
        monkeypatch.setenv("MAINSEQUENCE_ENDPOINT", address)
        assert "MAINSEQUENCE_TOKEN" in findings(code=1)["token"]["advice"]
        monkeypatch.setenv("MAINSEQUENCE_TOKEN", token)
        found = findings()
        assert {each["level"] for each in found.values()} == {"ok"}
        assert {"endpoint", "encryption", "ready", "clock", "server's release", "token"} <= found.keys()
        monkeypatch.setenv("MAINSEQUENCE_TOKEN", "msp_wrong")
        assert findings(code=1)["token"]["level"] == "fail"
        monkeypatch.setenv("MAINSEQUENCE_LAKE", "/x")
        assert "MAINSEQUENCE_LAKE" in findings(code=1)["settings"]["found"]
    assert "not reached" in findings(code=1)["endpoint"]["found"]


class OlderAndLate(BaseHTTPRequestHandler):
    """A server of another release, whose clock is ten minutes behind."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((timestamp or time.time()) - 600, usegmt=True)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"status": "ready", "info": {"version": "0.0.1"}}')


def test_a_server_of_another_release_and_with_another_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), OlderAndLate) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        monkeypatch.setenv("MAINSEQUENCE_ENDPOINT", f"http://127.0.0.1:{other.server_port}")
        monkeypatch.setenv("MAINSEQUENCE_TOKEN", "msp_x")
        found = findings(code=1)
        other.shutdown()
    assert found["server's release"]["level"] == "warn"
    assert found["server's release"]["found"].startswith("0.0.1, ")
    assert found["server's release"]["advice"] == "Install the same release on both."
    assert found["clock"]["level"] == "fail"
    assert "NTP" in found["clock"]["advice"]


def test_what_is_installed_is_judged_by_what_the_extras_need() -> None:
    few, many = ({each.check: each for each in examine_installation(*extras)} for extras in ((), ("server", "s3")))
    assert few["libraries"].level is many["libraries"].level is Level.OK
    assert few["libraries"].found != many["libraries"].found


def pretend(folder: Path, name: str, version: str) -> None:
    """Let a distribution seem to be installed."""
    described = folder / f"{name}-{version}.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_a_library_that_is_too_old_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, "sqlalchemy", "1.4.0")
    monkeypatch.syspath_prepend(tmp_path)
    found = findings(code=1)["libraries"]
    assert "sqlalchemy 1.4.0 is older than 2" in found["found"]
    assert "pip install --upgrade" in found["advice"]


def test_the_package_of_the_same_name_beside_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, "mainsequence", "3.17.0")
    monkeypatch.syspath_prepend(tmp_path)
    assert "imported by the same name" in findings(code=1)["beside it"]["found"]


def test_a_home_named_on_the_command_line_is_the_one_examined(tmp_path: Path) -> None:
    with msc.session(str(tmp_path / "other")):
        msc.AssetCategory.get_or_create(unique_identifier="u")
    (found,) = [each for each in answer("--home", tmp_path / "other", "doctor") if each["check"] == "database"]
    assert "other/registry.db answers" in found["found"]
