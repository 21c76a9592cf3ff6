"""The library as static files: what is in it, what never is, and whose files it leaves alone."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.folder import LIST, plan_change, write_folder
from bot.domain.masking import parse_rules
from bot.domain.records import Place, PostmortemStatus, Status
from bot.errors import Refused
from bot.export import Exporter
from bot.services.library.static_site import StaticLibrary, name_facet_file, write_library
from storage import channels as channels_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.postmortem import sections as sections_store
from tests.support.browser import NEEDS_BROWSER, WIDTHS, browsing, opening
from tests.support.command_line import invoke
from tests.support.export.cases import NOW
from tests.support.shelves import FILES, write_many, write_published

TEAM = "T0SHELF"
MASK = parse_rules("credentials,emails,addresses", "cust-[0-9]+")
EXPORTER = Exporter()


def write(store: Store, address: str = "") -> StaticLibrary:
    return store.read_now(lambda tx: write_library(tx, EXPORTER, MASK, TEAM, NOW, address))


def fill(store: Store, count: int = 3) -> None:
    store.write_now(lambda tx: write_many(tx, TEAM, count, NOW, actions=2))


def text_of(files: Mapping[str, bytes]) -> str:
    return "\n".join(content.decode() for content in files.values())


def test_a_published_incident_has_a_page_and_is_in_the_lists(store: Store) -> None:
    fill(store)
    made = write(store)
    assert set(made.written) == {"INC-1", "INC-2", "INC-3"}
    assert {"index.html", "style.css", "search.js", "search-index.js", "INC-2.html"} <= set(made.files)
    assert "feed.atom" not in made.files
    assert 'href="INC-2.html"' in made.files["index.html"].decode()
    assert "The pool of shard 1 ran out" in made.files["INC-2.html"].decode()


def publish_elsewhere(tx: Transaction, channel: str) -> None:
    """An incident as `write_many` makes them, in a channel of which nothing is known."""
    one = incidents_store.open_new(tx, Place(TEAM, channel), "The vault was open", "U0SHELF1", NOW)
    over = replace(one, status=Status.RESOLVED, resolved_at=NOW)
    incidents_store.save(tx, replace(over, postmortem_status=PostmortemStatus.PUBLISHED, published_at=NOW))


def test_private_unknown_and_unpublished_incidents_are_nowhere_in_it(store: Store) -> None:
    fill(store)

    def add(tx: Transaction) -> None:
        publish_elsewhere(tx, "C0UNKNOWN")
        publish_elsewhere(tx, "C0PRIVATE")
        channels_store.save_privacy(tx, TEAM, {"C0PRIVATE": True}, NOW)
        three = incidents_store.find_by_number(tx, TEAM, 3)
        assert three
        incidents_store.save(tx, replace(three, postmortem_status=PostmortemStatus.OPEN, published_at=None))

    store.write_now(add)
    made = write(store)
    assert (set(made.written), set(made.left_out)) == ({"INC-1", "INC-2"}, {"INC-4", "INC-5"})
    text = text_of(made.files)
    assert [word for word in ("vault", "shard 2", "INC-3", "INC-4", "INC-5") if word in text] == []


def test_what_is_masked_is_in_no_file(store: Store) -> None:
    fill(store)

    def speak(tx: Transaction) -> None:
        one = incidents_store.find_by_number(tx, TEAM, 1)
        assert one
        incidents_store.save(tx, replace(one, title="cust-4711 cannot pay"))
        sections_store.save(tx, one.id, "root_cause", "ops@corp.example took cust-4711 down", "U0SHELF1", NOW)

    store.write_now(speak)
    files = write(store, "https://docs.example/postmortems").files
    assert "4711" not in text_of(files)
    assert "ops@corp" not in text_of(files)


def test_a_second_run_changes_nothing_on_the_same_day_and_little_on_the_next(store: Store) -> None:
    fill(store)
    first = write(store).files
    assert store.read_now(lambda tx: write_library(tx, EXPORTER, MASK, TEAM, NOW + timedelta(hours=3))).files == first
    later = store.read_now(lambda tx: write_library(tx, EXPORTER, MASK, TEAM, NOW + timedelta(days=1))).files
    assert later == first


def test_the_feed_leads_to_the_pages_at_their_address(store: Store) -> None:
    fill(store)
    feed = write(store, "https://docs.example/postmortems/").files["feed.atom"].decode()
    assert "https://docs.example/postmortems/INC-3.html" in feed


def test_services_and_tags_share_no_file() -> None:
    names = ["checkout", "Checkout ", "check-out", "check out", "支払い", "支払", "x" * 60, "x" * 61]
    assert len({name_facet_file("service", name) for name in names}) == len(names)
    assert name_facet_file("tag", "database") == "tag-database.html"
    assert name_facet_file("tag", "../../etc/passwd").count("/") == 0


def test_only_what_differs_is_written_and_what_is_gone_is_deleted(tmp_path: Path) -> None:
    write_folder(tmp_path, {"index.html": b"one", "INC-1.html": b"x"})
    before = (tmp_path / "INC-1.html").stat()
    change = write_folder(tmp_path, {"index.html": b"two", "INC-1.html": b"x"})
    assert (change.written, change.deleted, change.same) == (("index.html",), (), 1)
    after = (tmp_path / "INC-1.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write_folder(tmp_path, {"index.html": b"two"}).deleted == ("INC-1.html",)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LIST, "index.html"]


def test_a_foreign_file_is_neither_replaced_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_bytes(b"theirs")
    write_folder(tmp_path, {"index.html": b"ours"})
    (tmp_path / "INC-1.html").write_bytes(b"theirs")
    with pytest.raises(Refused, match=r"didn't write.*INC-1\.html\. Nothing was written"):
        write_folder(tmp_path, {"index.html": b"new", "INC-1.html": b"ours"})
    assert (tmp_path / "index.html").read_bytes() == b"ours"
    write_folder(tmp_path, {})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != LIST} == {
        "robots.txt": b"theirs",
        "INC-1.html": b"theirs",
    }


def test_a_file_of_ours_that_someone_changed_is_theirs_now(tmp_path: Path) -> None:
    write_folder(tmp_path, {"index.html": b"ours", "INC-1.html": b"ours"})
    (tmp_path / "index.html").write_bytes(b"changed")
    with pytest.raises(Refused, match="changed since"):
        plan_change(tmp_path, {"index.html": b"new"})
    assert write_folder(tmp_path, {"INC-1.html": b"ours"}).deleted == ()
    assert (tmp_path / "index.html").read_bytes() == b"changed"


def test_a_run_that_was_broken_off_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, {"a.html": b"1", "b.html": b"1"})
    wanted = {"a.html": b"2", "b.html": b"2", "c.html": b"2"}
    replace_file, done = Path.replace, []

    def fail_third(path: Path, target: Path) -> Path:
        done.append(target.name)
        if len(done) == 3:  # the list, a.html, and then the disk is full
            raise OSError(28, "No space left on device")
        return replace_file(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail_third)
        with pytest.raises(OSError, match="No space"):
            write_folder(tmp_path, wanted)
    assert {name: (tmp_path / name).read_bytes() for name in ("a.html", "b.html")} == {"a.html": b"2", "b.html": b"1"}
    assert set(write_folder(tmp_path, wanted).written) == {"b.html", "c.html"}


def test_a_link_is_never_written_through_and_a_list_leads_nowhere_else(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.html", tmp_path / "site"
    outside.write_bytes(b"theirs")
    folder.mkdir()
    (folder / "index.html").symlink_to(outside)
    with pytest.raises(Refused):
        write_folder(folder, {"index.html": b"ours"})
    (folder / "index.html").unlink()
    digest = "86c6a7f2f0f0fbbf2b7e2e9c5cf4b1bd3f9b1e3ea1a2b9a8e7c3d7a6b5c4d3e2"
    (folder / LIST).write_text(json.dumps({"files": {"../outside.html": [digest]}}))
    write_folder(folder, {"index.html": b"ours"})
    assert outside.read_bytes() == b"theirs"


def test_the_command_says_what_it_did(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setenv("DATABASE_URL", store.driver.url.render_as_string(hide_password=False))
    folder = tmp_path / "site"
    dry = invoke("library", folder, "--dry-run", "--now", NOW.isoformat())
    assert dry.exit_code == 0, dry.output
    assert "write INC-1.html" in dry.output
    assert not folder.exists()
    done = invoke("library", folder, "--now", NOW.isoformat(), "--url", "https://docs.example")
    assert done.output.startswith("3 postmortems: ")
    again = invoke("library", folder, "--now", NOW.isoformat(), "--url", "https://docs.example")
    assert "0 files written, 0 deleted" in again.output
    assert "begins with https://" in invoke("library", folder, "--url", "docs.example").output


@NEEDS_BROWSER
@pytest.mark.skipif(not FILES, reason="the published incidents are not here")
async def test_the_published_incidents_are_read_and_searched_from_a_disk(store: Store, tmp_path: Path) -> None:
    channels = [f"C0SHELF{number}" for number in range(len(FILES))]
    store.write_now(lambda tx: write_published(tx, TEAM, channels, NOW))
    made = write(store)
    assert len(made.written) == len(FILES) - 2
    write_folder(tmp_path, made.files)
    async with browsing() as browser:
        for width in WIDTHS:
            async with opening(browser, width=width) as tab:
                await tab.go((tmp_path / "index.html").as_uri())
                assert tab.complaints == []  # later ones are axe's, which asks for files in a way that browsers refuse
                assert (await tab.violations(), await tab.overflow()) == ([], 0)
                assert await tab.page.locator("#listed .shelf li").count() == len(made.written)
                await tab.page.fill("#q", "database")
                hits = await tab.page.locator("#hits li").count()
                assert 0 < hits < len(made.written)
                assert await tab.violations() == []
                await tab.page.locator("#hits a").first.click()
                await tab.page.wait_for_load_state()
                assert (await tab.violations(), await tab.overflow()) == ([], 0)
                assert await tab.page.locator("article h1").count() == 1
                assert tab.hosts == {""}
