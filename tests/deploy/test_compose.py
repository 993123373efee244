"""The compose file: valid by the published schema, and nothing in it that a careful administrator would send back."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mainsequence.settings import ENVIRONMENT
from tests.shared_data import ROOT

FILE = ROOT / "deploy" / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = {"server", "database", "store"}


def test_it_is_valid_by_the_published_schema() -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def composed(settings: Path) -> subprocess.CompletedProcess[str]:
    """What Compose itself makes of the file; it needs no engine for that."""
    compose = ["docker", "compose"]
    asked = [*compose, "version"]
    if shutil.which("docker") is None or subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no Docker Compose here")
    command = [*compose, "--env-file", settings, "-f", FILE, "config", "--format", "json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compose_itself_reads_it_with_the_example_filled_in(tmp_path: Path) -> None:
    filled = (ROOT / "deploy" / "compose.env.example").read_text().replace("PASSWORD=\n", "PASSWORD=abc123\n")
    (tmp_path / "env").write_text(filled)
    ran = composed(tmp_path / "env")
    assert ran.returncode == 0, ran.stderr
    server = json.loads(ran.stdout)["services"]["server"]
    url = "postgresql+psycopg://mainsequence:abc123@database/mainsequence"
    assert server["environment"]["MAINSEQUENCE_DATABASE_URL"] == url
    assert [(port["host_ip"], port["published"]) for port in server["ports"]] == [("127.0.0.1", "8000")]
    assert Path(server["build"]["context"]) == ROOT


def test_compose_itself_refuses_to_start_without_passwords() -> None:
    ran = composed(ROOT / "deploy" / "compose.env.example")
    assert ran.returncode != 0
    assert "set it in deploy/.env" in ran.stderr


def test_it_is_a_server_postgresql_and_an_object_store_whose_bucket_is_made() -> None:
    assert SERVICES.keys() == {*LASTING, "bucket"}
    assert "mb --ignore-existing store/mainsequence" in SERVICES["bucket"]["command"][0]
    conditions = {name: each["condition"] for name, each in SERVICES["server"]["depends_on"].items()}
    assert conditions == {"database": "service_healthy", "bucket": "service_completed_successfully"}
    assert SERVICES["bucket"]["depends_on"]["store"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", sorted(LASTING))
def test_what_lasts_is_watched_restarted_and_keeps_its_data_in_a_volume(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()
    for volume in service["volumes"]:
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_the_database_is_well_once_the_server_can_reach_it() -> None:
    """At its first start PostgreSQL's image prepares the database behind a socket, before it listens to the network."""
    asked = SERVICES["database"]["healthcheck"]["test"]
    assert asked[asked.index("--host") + 1] == "127.0.0.1"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_log_fills_the_disk(name: str) -> None:
    """By default Docker keeps every line for ever."""
    kept = SERVICES[name]["logging"]["options"]
    assert {"max-size", "max-file"} <= kept.keys()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"server"}))
def test_images_are_of_one_release(name: str) -> None:
    image = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", SERVICES[name]["image"])
    tag = re.search(r":([^:@/]+)(@sha256:[0-9a-f]{64})?$", image)
    assert tag is not None, image
    assert tag[1] != "latest"
    assert re.search(r"\d", tag[1])


def test_it_holds_no_secret() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "SECRET" in name or "DATABASE_URL" in name:
                assert re.search(r"\$\{\w+:\?", value), name
    assert "\nPOSTGRES_PASSWORD=\n" in (ROOT / "deploy" / "compose.env.example").read_text()
    assert "deploy/.env" in (ROOT / ".gitignore").read_text().split()


def test_only_this_machine_reaches_it_unless_told_otherwise() -> None:
    assert SERVICES["server"]["ports"] == ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"]
    assert not any("ports" in service for name, service in SERVICES.items() if name != "server")


def test_the_server_has_no_rights_it_does_not_need() -> None:
    server = SERVICES["server"]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in server


def test_the_server_can_be_stopped_before_it_answers() -> None:
    """The first process of a container ignores SIGTERM until it handles it; behind an init it is not the first."""
    assert SERVICES["server"]["init"] is True


def test_its_settings_are_settings_of_the_platform() -> None:
    own = {name for name in SERVICES["server"]["environment"] if name.startswith("MAINSEQUENCE_")}
    assert own == {"MAINSEQUENCE_DATABASE_URL", "MAINSEQUENCE_LAKE"}
    assert own <= ENVIRONMENT.keys()


def test_every_variable_it_asks_for_is_explained() -> None:
    example = (ROOT / "deploy" / "compose.env.example").read_text()
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", FILE.read_text())) - {"STORE_IMAGE", "STORE_CLIENT_IMAGE"}
    assert asked == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
