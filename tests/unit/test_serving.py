"""What a platform's service says of itself: ready or not and why, which streams were looked at, who may use it."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from typer.testing import CliRunner

from lightship import app_serve as wiring
from lightship.app_health import BOUND_S, Figures, Watch, covered
from lightship.app_platform import Deployment, open_platform
from lightship.cli import app
from lightship.console.logs import logger
from lightship.console.metrics import Metrics
from lightship.console.tenants import Tenant, Tenants, add
from lightship.core.cases import Round, Stream
from lightship.core.errors import InputError, LedgerError, PolicyError
from lightship.detect.matcher import Flood
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.migrate import downgrade, upgrade
from lightship.infra.store import SqlStore

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def stream(name, **more):
    return Stream(name, "rtmp://x", "h", "public", "terms", "public-live", NOW, **more)


def until(what, seconds=5.0):
    end_s = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def deployment(tmp_path):
    (tmp_path / "list.csv").write_text(f"# benign-test: true\n{'0f' * 32},100,x\n", encoding="utf-8")
    return Deployment(tmp_path / "kept", lists=(tmp_path / "list.csv",))


@pytest.fixture
def platform(deployment):
    with open_platform(deployment, lambda _: None) as opened:
        yield opened


def test_a_stream_is_covered_if_the_worker_whose_it_is_looked_at_it_within_the_bound():
    live = [stream(name) for name in ("seen", "late", "never", "lost", "free")]
    rounds = [
        Round("one", NOW, 9, ("seen", "late", "never"), (2.0, BOUND_S + 0.1, -1.0)),
        Round("two", NOW, 9, ("lost",), (0.1,)),
    ]
    held = {f"stream/{name}": "one" for name in ("seen", "late", "never", "lost")}
    assert covered(live, rounds, held, NOW) == {"seen"}
    assert covered(live, rounds, held, NOW + timedelta(seconds=BOUND_S - 1.5)) == frozenset(), "it grows old"


def test_each_part_that_cannot_be_used_is_named_until_it_can_be(platform, deployment):
    with (
        wiring.keeping(platform, lambda _: None) as ledger,
        wiring.served(wiring.console_of(platform, ledger, secure=False), "127.0.0.1", 0) as address,
        httpx.Client(base_url=address) as client,
    ):
        assert until(lambda: client.get("/readyz").json() == {"ready": True})

        def not_ready(part):
            return until(lambda: part in client.get("/readyz").json().get("detail", ""), 8.0)

        data = deployment.folder / "vault" / "data"
        data.rename(data.with_name("away"))
        assert not_ready("the vault")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(deployment.folder) not in answer.text, "who may not sign in learns no path"
        assert client.get("/healthz").status_code == 200
        data.with_name("away").rename(data)
        assert until(lambda: client.get("/readyz").status_code == 200, 8.0)

        with platform.store.begin() as work:
            newest = work.connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
            work.connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        assert not_ready("the store")
        with platform.store.begin() as work:
            work.connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": newest})
            work.connection.execute(sa.text("ALTER TABLE leases RENAME TO gone"))
        assert not_ready("the leases")
        with platform.store.begin() as work:
            work.connection.execute(sa.text("ALTER TABLE gone RENAME TO leases"))
        assert until(lambda: client.get("/readyz").status_code == 200, 8.0)
        with sa.create_engine(f"sqlite:///{ledger.path}").begin() as db:
            db.execute(sa.text("ALTER TABLE entries RENAME TO gone"))
        with platform.store.begin() as work:
            work.record({"kind": "x"})
        assert not_ready("the ledger")
        with sa.create_engine(f"sqlite:///{ledger.path}").begin() as db:
            db.execute(sa.text("ALTER TABLE gone RENAME TO entries"))
        assert until(lambda: client.get("/readyz").status_code == 200, 8.0)
        assert until(lambda: [one for one in ledger.entries() if one["kind"] == "gap"])
        assert [one for one in ledger.entries() if one["kind"] == "x"], "what waited is there"


def test_health_says_what_is_not_looked_at_and_when_nobody_looks(platform):
    watch = Watch(platform)
    assert "Effects wait: no webhook is named." in watch().troubles
    with platform.store.begin() as work:
        work.save(stream("a"), Round("one", datetime.now(UTC), 9, ("a",), (0.5,), 0.25, ("A list is away.",)))
    watch.look()
    assert "No worker is there: no stream is watched." in watch().troubles
    assert (watch().streams, watch().covered) == (1, 0)
    platform.leases.take(["worker/one", "stream/a"], "one", 6.0)
    watch.look()
    health = watch()
    assert (health.streams, health.covered, health.lag_s) == (1, 1, 0.25)
    assert "A list is away." in health.troubles
    registry = CollectorRegistry()
    Figures(watch, registry)
    text = generate_latest(registry).decode()
    assert "lightship_ready 1.0" in text
    assert "lightship_watch_streams_covered 1.0" in text
    platform.matcher.troubles = ("Version 2 of the list bank cannot be used; version 1 serves.",)
    watch.look()
    platform.matcher.troubles = ()
    watch.look()
    platform.matcher.brake.hold(Flood("bank", "case-7", 50, 0.0))
    watch.look()
    assert any("case-7" in one and "set aside" in one for one in watch().troubles)
    platform.backlog.flush()
    with platform.store.look() as work:
        said = "".join(work.connection.execute(sa.select(platform.store.schema.journal.c.entry)).scalars())
    assert said.count("Version 2 of the list bank") == 2, "that it began, and that it is over"


def test_a_check_that_does_not_come_to_an_end_is_not_ready(platform, monkeypatch):
    watch = Watch(platform)
    watch.look()
    assert watch.ready() == {"ready": True}
    monkeypatch.setattr("lightship.app_health._STUCK_S", 0.0)
    assert "the check of all parts" in watch.ready()["reason"]


def test_two_services_on_one_folder_and_terms_that_are_not_there_are_refused(platform, deployment):
    with (
        wiring.keeping(platform, lambda _: None),
        pytest.raises(LedgerError, match="second `lightship serve`"),
        wiring.keeping(platform, lambda _: None),
    ):
        pass
    from dataclasses import replace

    with (
        pytest.raises(PolicyError, match="retention terms"),
        wiring.keeping(replace(platform, deployment=replace(deployment, retention="no")), print),
    ):
        pass


def test_an_address_that_is_taken_is_one_sentence(platform):
    with wiring.keeping(platform, lambda _: None) as ledger:
        console = wiring.console_of(platform, ledger, secure=False)
        with wiring.served(console, "127.0.0.1", 0) as address:
            port = int(address.rpartition(":")[2])
            with (
                pytest.raises(InputError, match="cannot be served"),
                wiring.served(console, "127.0.0.1", port),
            ):
                pass


def test_tables_of_the_release_before_are_brought_up_and_what_they_held_stays(tmp_path):
    url = f"sqlite:///{tmp_path / 's'}"
    newest = upgrade(url)
    with SqlStore(url) as store, store.begin() as work:
        work.save(stream("kept"))
    assert downgrade(url, "0001") == "0001"
    assert upgrade(url) == newest
    with SqlStore(url) as store, store.look() as work:
        assert work.get(Stream, "kept") == stream("kept")


def test_a_token_is_made_listed_and_taken_back(tmp_path):
    run = CliRunner()
    folder = ["--folder", str(tmp_path / "kept")]
    made = run.invoke(app, ["token", "add", "acme", "--scopes", "streams, reports", *folder])
    assert made.exit_code == 0
    token = made.stdout.split()[0]
    tenants = Tenants(tmp_path / "kept" / "tenants.json")
    assert tenants.of(token).scopes == ("streams", "reports")
    assert token not in (tmp_path / "kept" / "tenants.json").read_text("utf-8")
    shown = run.invoke(app, ["token", "list", *folder]).stdout
    assert "acme: streams, reports" in shown
    assert token not in shown
    assert run.invoke(app, ["token", "revoke", "acme", *folder]).exit_code == 0
    assert Tenants(tmp_path / "kept" / "tenants.json").of(token) is None
    for bad in (["revoke", "acme"], ["add", "x", "--scopes", "all"], ["add", "x", "--scopes", ","]):
        assert isinstance(run.invoke(app, ["token", *bad, *folder]).exception, InputError)


def test_the_platforms_lists_can_be_asked_about_hashes_by_who_may(platform, deployment):
    asker = add(deployment.tenants, Tenant("asker", "", ("match",), ("*",), 1_000, 1_000))
    other = add(deployment.tenants, Tenant("other", "", ("streams",), (), 1_000, 1_000))
    metrics, log = Metrics(), logger()
    with (
        wiring.keeping(platform, lambda _: None) as ledger,
        wiring.asking(platform, metrics, log) as matcher,
        wiring.served(
            wiring.console_of(platform, ledger, secure=False, log=log, metrics=metrics, matcher=matcher),
            "127.0.0.1",
            0,
        ) as address,
        httpx.Client(base_url=address) as client,
    ):
        asked = {"pdq": [{"hash": "0f" * 32, "quality": 100}, {"hash": "f0" * 32, "quality": 100}]}
        done = client.post("/v1/match", json=asked, headers={"authorization": f"Bearer {asker}"})
        assert done.status_code == 200, done.text
        first, second = done.json()["pdq"]
        assert first["matches"][0]["list"] == "list"
        assert second["matches"] == []
        assert client.post("/v1/match", json=asked).status_code == 401
        assert (
            client.post("/v1/match", json=asked, headers={"authorization": f"Bearer {other}"}).status_code
            == 403
        )
        assert "/v1/match" in client.get("/openapi.json").json()["paths"]
    with LedgerFile(
        deployment.folder / "matcher.ledger",
        load_or_create_key(deployment.folder / "matcher.key", "lightship-matcher"),
    ) as kept:
        [query] = [one for one in kept.entries() if one["kind"] == "matcher-query"]
    assert (query["tenant"], query["asked"]) == ("asker", 2)
