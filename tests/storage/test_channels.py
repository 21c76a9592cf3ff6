"""Which incidents are in somebody's sight: by the privacy of channels, as one condition of a statement."""

import pytest
from sqlalchemy import select

from bot.domain.readers import Sight, public_sight
from bot.domain.records import Place
from storage import channels as channels_store
from storage.database.statements import Statement, Transaction, table_of
from storage.database.store import Store
from storage.tables.record import IncidentRow
from tests.support.storage.sample_records import NOW, open_incident

_incident = table_of(IncidentRow)
_SEEN = Statement(
    select(_incident.c.channel)
    .where(channels_store.visible_by(_incident.c.team, _incident.c.channel))
    .order_by(_incident.c.channel)
)


@pytest.fixture
def channels(store: Store) -> Store:
    """Incidents in a public channel, two private ones, one of which Slack was never asked, and in another workspace."""

    def unit(tx: Transaction) -> None:
        for channel in ("C_PUBLIC", "C_PRIVATE", "C_UNKNOWN"):
            open_incident(tx, Place("T1", channel))
        open_incident(tx, Place("T2", "C_ELSEWHERE"))
        channels_store.save_privacy(tx, "T1", {"C_PUBLIC": False, "C_PRIVATE": True}, NOW)
        channels_store.save_privacy(tx, "T2", {"C_ELSEWHERE": False}, NOW)

    store.write_now(unit)
    return store


def list_seen(store: Store, sight: Sight) -> list[str]:
    return [channel for (channel,) in store.read_now(lambda tx: tx.rows(_SEEN, **channels_store.sight_values(sight)))]


@pytest.mark.parametrize(
    ("sight", "expected"),
    [
        (public_sight("T1"), ["C_PUBLIC"]),
        (Sight("T1", public=True, channels=frozenset({"C_PRIVATE"})), ["C_PRIVATE", "C_PUBLIC"]),
        (Sight("T1", public=True, channels=frozenset({"C_UNKNOWN"})), ["C_PUBLIC", "C_UNKNOWN"]),
        (Sight("T1", channels=frozenset({"C_PUBLIC"})), ["C_PUBLIC"]),
        (Sight("T1"), []),
        (Sight("T1", public=True, channels=frozenset({"C_ELSEWHERE"})), ["C_PUBLIC"]),
        (public_sight("T3"), []),
        (public_sight(""), []),
    ],
    ids=["everyone", "member", "member of one never asked about", "guest", "nobody", "foreign", "elsewhere", "none"],
)
def test_only_what_is_public_or_their_own_is_in_sight(channels: Store, sight: Sight, expected: list[str]) -> None:
    assert list_seen(channels, sight) == expected


def test_a_channel_that_becomes_private_is_out_of_sight(channels: Store) -> None:
    channels.write_now(lambda tx: channels_store.save_privacy(tx, "T1", {"C_PUBLIC": True}, NOW))
    assert list_seen(channels, public_sight("T1")) == []
    assert channels.read_now(channels_store.load_privacy)["T1", "C_PUBLIC"] is True


def test_the_channels_of_incidents_are_listed_from_where_the_last_look_ended(channels: Store) -> None:
    last, found = channels.read_now(lambda tx: channels_store.list_of_incidents(tx, 0))
    assert found == {"T1": {"C_PUBLIC", "C_PRIVATE", "C_UNKNOWN"}, "T2": {"C_ELSEWHERE"}}
    assert channels.read_now(lambda tx: channels_store.list_of_incidents(tx, last)) == (last, {})
