"""`afterword forget`: after it no text of any table has the person's id or name, and nothing else is lost."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import Text, delete, text

from bot.domain.records import Person
from bot.slack.directory import Directory, DirectoryRefresher
from storage import actions as actions_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import timeline as timeline_store
from storage.database.lock import lock_database
from storage.database.statements import Statement, Transaction, table_of
from storage.database.store import Store, open_store
from storage.history import chain as chain_store
from storage.history.pseudonyms import Alias
from storage.postmortem.policy import PolicyType
from storage.tables import metadata
from storage.tables.record import PersonRow
from tests.handlers.test_secrets import files
from tests.support import full_incident
from tests.support.command_line import invoke
from tests.support.interactions import on_stage
from tests.support.play import TEAM
from tests.support.storage.sample_records import NOW, PLACE
from tests.support.timeouts import PATIENT

ANA = "U0ANA4711"
NAME = "Ana Çelik"
OTHER = f"{ANA}X"
"""Another person's, that begins with hers."""


def texts(store: Store) -> list[tuple[str, str]]:
    """(table.column, value) of every text in every table, the full-text index of SQLite included."""
    found = []
    with store.driver.engine().connect() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Text | PolicyType):
                    rows = connection.execute(text(f'SELECT "{column.name}" FROM "{table.name}"'))
                    found += [(f"{table.name}.{column.name}", value) for (value,) in rows if value]
        if connection.dialect.name == "sqlite":
            rows = connection.execute(text("SELECT * FROM recall_words"))
            found += [("recall_words", str(value)) for row in rows for value in row if value]
    return found


def _fill_every_text(store: Store) -> None:
    """Put her into every column of text that there is, past the program: whatever it writes there one day."""
    with store.driver.engine(writing=True).begin() as connection:
        connection.execute(text("INSERT INTO history_exemption (reason) VALUES ('test')"))
        for table in metadata.sorted_tables:
            if table.name in ("history_exemption", "chain", "person"):
                continue
            for column in table.columns:
                is_word = not isinstance(column.type, Text) or column.primary_key or column.foreign_keys
                if is_word or column.name in ("team", "source", "send_key", "subject", "key", "group_key", "section"):
                    continue
                spoilt = json.dumps({"of": f"<@{ANA}|ana> {NAME} & {ANA}, {OTHER}"})
                connection.execute(
                    text(f'UPDATE "{table.name}" SET "{column.name}" = :spoilt'),
                    {"spoilt": spoilt},
                )
        connection.execute(text("DELETE FROM history_exemption"))


def _write(tx: Transaction) -> None:
    full_incident.write(tx)
    people_store.save(tx, Person(PLACE.team, ANA, NAME, "Europe/Berlin"))
    people_store.save_tab_opened(tx, PLACE.team, ANA, NOW)
    incident = incidents_store.find_by_number(tx, PLACE.team, 2)
    assert incident is not None
    new = full_incident.note(f"@{NAME} asked {ANA} about Analysis", 90, ANA)
    entry = timeline_store.append(tx, incident.id, new)
    timeline_store.amend(tx, replace(entry, text="anew"), "edited", ANA, NOW)
    message = {"text": f"<@{ANA}> owns it", "blocks": [{"value": json.dumps({"who": NAME})}]}
    deliveries_store.enqueue_message(tx, incident, message, NOW)
    for action in actions_store.list_all(tx, incident.id):
        actions_store.save(tx, replace(action, owner=ANA))
    policy = replace(full_incident.POLICY, also=(ANA, "lead"), owner=ANA)
    incidents_store.save(tx, replace(incident, lead=ANA, postmortem_owner=ANA, policy=policy))


@pytest.fixture
def full_url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with something of everything, in all of which she has a part."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    store = open_store(database_url, timeouts=PATIENT)
    store.write_now(_write)
    store.close()
    return database_url


def test_no_text_of_any_table_has_the_id_or_the_name(full_url: str) -> None:
    store = open_store(full_url, timeouts=PATIENT)
    before = texts(store)
    assert len({where.partition(".")[0] for where, value in before if ANA in value}) >= 7
    store.close()
    done = invoke("forget", ANA)
    assert done.exit_code == 0, done.output
    assert f"{ANA} is now Person " in done.stdout
    assert "INC-2: an action or the postmortem has no owner now." in done.stdout
    store = open_store(full_url, timeouts=PATIENT)
    after = texts(store)
    assert [where for where, value in after if ANA in value or NAME in value or "elik" in value] == []
    assert len(after) < len(before)  # her own rows went, and nothing else
    incident = store.read_now(lambda tx: incidents_store.find_by_number(tx, PLACE.team, 2))
    assert incident is not None
    assert incident.policy is not None
    assert incident.policy.owner.startswith("Person ")
    (entry,) = [one for one in store.read_now(_entries) if "asked" in one.text]
    assert entry.author == entry.recorder
    assert entry.text == f"@{entry.author} asked {entry.author} about Analysis"
    assert chain_store.verify(store).faults == ()
    store.close()


def _entries(tx: Transaction):  # type: ignore[no-untyped-def]
    incident = incidents_store.find_by_number(tx, PLACE.team, 2)
    assert incident is not None
    return timeline_store.list_active(tx, incident.id) + tuple(
        replace(
            timeline_store.list_active(tx, incident.id)[0],
            text=one.text,
            author=one.changed_by,
            recorder=one.changed_by,
        )
        for every in timeline_store.list_all_versions(tx, incident.id).values()
        for one in every
    )


def test_wherever_a_text_stands_it_is_reached(full_url: str) -> None:
    store = open_store(full_url, timeouts=PATIENT)
    _fill_every_text(store)
    reached = {where for where, value in texts(store) if NAME in value or json.dumps(NAME)[1:-1] in value}
    assert len(reached) > 50
    store.close()
    done = invoke("forget", ANA, "--name", "Anita")
    assert done.exit_code == 0, done.output
    store = open_store(full_url, timeouts=PATIENT)
    left = [(where, value) for where, value in texts(store) if ANA in value.replace(OTHER, "") or "elik" in value]
    assert left == []
    assert any(OTHER in value for _, value in texts(store))
    store.close()


def test_a_second_time_and_a_stranger_change_nothing(full_url: str) -> None:
    invoke("forget", ANA)
    store = open_store(full_url, timeouts=PATIENT)
    before = sorted(texts(store))
    store.close()
    for user in (ANA, "U0NOBODY"):
        assert f"Nothing here mentions {user}." in invoke("forget", user).stdout
    store = open_store(full_url, timeouts=PATIENT)
    assert sorted(texts(store)) == before
    store.close()


def test_a_dry_run_counts_and_changes_nothing(full_url: str) -> None:
    store = open_store(full_url, timeouts=PATIENT)
    before = sorted(texts(store))
    store.close()
    dry = invoke("forget", ANA, "--dry-run")
    assert "Would replace" in dry.stdout
    assert "Nothing was changed." in dry.stdout
    store = open_store(full_url, timeouts=PATIENT)
    assert sorted(texts(store)) == before
    store.close()
    counted = dry.stdout.partition(": ")[2].partition(".")[0]
    assert counted in invoke("forget", ANA).stdout


@pytest.mark.parametrize("user", ["ana", "C0CHANNEL", "", "U1; DROP TABLE person"])
def test_only_an_id_is_taken(sqlite_url: str, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    refused = invoke("forget", user)
    assert refused.exit_code == 2
    assert "isn't a Slack user ID" in refused.stderr


def test_not_while_a_bot_remembers_names(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    with lock_database(sqlite_url):
        assert "Another `afterword run` uses" in invoke("forget", ANA).stderr


def test_the_files_of_the_database_lose_the_name_too(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    store = open_store(sqlite_url, timeouts=PATIENT)
    store.write_now(_write)
    store.close()
    invoke("forget", ANA)
    left = files(sqlite_url)
    assert ANA.encode() not in left
    assert NAME.encode() not in left


def test_what_the_person_still_had_to_do_waits_for_nobody(full_url: str) -> None:
    invoke("forget", ANA)
    store = open_store(full_url, timeouts=PATIENT)

    def look(tx: Transaction) -> list[str | None]:
        incident = incidents_store.find_by_number(tx, PLACE.team, 2)
        assert incident is not None
        assert incident.postmortem_owner is None
        return [one.owner for one in actions_store.list_all(tx, incident.id) if one.status == "open"]

    owners = store.read_now(look)
    assert owners
    assert set(owners) == {None}
    document = full_incident.export_incident(store, form="markdown").decode()
    assert "Person " in document
    assert NAME not in document
    store.close()


def test_whole_names_and_ids_only() -> None:
    alias = Alias("U1", ("Al", "Al B"))
    assert alias.replace_in("<@U1|al> U1 U12 Al B, Al. Also <@U12>", "P") == "P P U12 P, P. Also <@U12>"
    assert Alias("U1", ("A & B",)).replace_in("A &amp; B", "P") == "P"
    assert Alias("U1", ("É",)).replace_in(json.dumps({"a": "É"}), "P") == '{"a": "P"}'


async def test_somebody_who_left_is_not_learned_again_from_the_list(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await play.bot.directory_refresher.wait()
        stays, gone = play.bo, play.chandra
        for user in (stays, gone):
            play.slack.workspace.users[user].deleted = True
        directory = Directory(play.bot.store, play.bot.client)
        await directory.load()
        await play.bot.store.write(lambda tx: tx.run(Statement(delete(table_of(PersonRow)))))
        del directory._people[TEAM, gone]  # as after a restart
        refresher = DirectoryRefresher(play.bot.client, directory)
        refresher.start(play.clock.now())
        await refresher.wait()
        known = {person.id for person in await play.bot.store.read(people_store.list_all)}
        assert gone not in known
        assert stays in known
