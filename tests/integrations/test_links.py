"""Memos and subjects of old rows are read, and stored as they were.

Work items, the service project's issue, the page and what customers read link to each other, each once.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from bot.domain.samples import SAMPLES
from bot.integrations.links import (
    ActionMemo,
    CustomerUpdateMemo,
    IssueMemo,
    PageMemo,
    PagingMemo,
    SentFields,
    ServiceIncidentMemo,
    SubjectKind,
    describe_subject,
    kind_of,
    number_in,
    subject_of,
)
from storage import links as links_store
from storage.links import Link
from storage.queues import SyncState
from tests.export.confluence.test_editor import require_taken
from tests.integrations.statuspage.test_sync import draft_update
from tests.support.integrations.clients import EMAIL, SECRET
from tests.support.integrations.fakes.confluence import FakeConfluence
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.integrations.fakes.jira import FakeJira
from tests.support.integrations.fakes.statuspage import FakeStatuspage
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import TEAM, Play

Step = Callable[["Site"], Awaitable[object]]


@dataclass
class Site:
    """A play with every system connected."""

    play: Play
    jira: FakeJira
    wiki: FakeConfluence
    page: FakeStatuspage

    def link(self, system: str, subject: str) -> Link:
        found = self.play.bot.store.read_now(lambda tx: links_store.find(tx, TEAM, system, f"INC-1 {subject}"))
        assert found is not None
        return found

    @property
    def item(self) -> str:
        return self.link("jira", "action 1").external_id

    @property
    def issue(self) -> str:
        return self.link("jsm", "incident").external_id

    @property
    def addresses(self) -> list[str]:
        """Where people open the channel, the page and what customers read."""
        channel = self.play.case().incident.channel_link
        return sorted([channel, self.link("confluence", "postmortem").url, self.link("statuspage", "customers").url])

    def links_at(self, key: str) -> list[str]:
        return sorted(there["url"] for (at, _), there in self.jira.links.items() if at == key)

    @property
    def body(self) -> str:
        return str(self.wiki.pages["1000"]["body"])

    @property
    def left_with(self) -> dict[str, Any]:
        """The metadata of what customers read."""
        (incident,) = self.page.incidents.values()
        return dict(incident["metadata"])

    def count_messages(self, words: str) -> int:
        return sum(words in message.plain.replace("*", "") for message in self.play.slack.messages(self.play.channel))


@asynccontextmanager
async def everything(database_url: str, **settings: str) -> AsyncIterator[Site]:
    jira, wiki, page = FakeJira(), FakeConfluence(), FakeStatuspage()
    async with AsyncExitStack() as stack:
        jira_url, wiki_url, page_url = [await stack.enter_async_context(fake.serving()) for fake in (jira, wiki, page)]
        environ = {
            "AFTERWORD_JIRA_URL": jira_url,
            "AFTERWORD_JIRA_EMAIL": EMAIL,
            "AFTERWORD_JIRA_TOKEN": SECRET,
            "AFTERWORD_JIRA_PROJECT": "OPS",
            "AFTERWORD_JSM_PROJECT": "INC",
            "AFTERWORD_CONFLUENCE_URL": wiki_url,
            "AFTERWORD_CONFLUENCE_EMAIL": EMAIL,
            "AFTERWORD_CONFLUENCE_TOKEN": SECRET,
            "AFTERWORD_CONFLUENCE_SPACE": "ENG",
            "AFTERWORD_STATUSPAGE_PAGE": "pg",
            "AFTERWORD_STATUSPAGE_KEY": SECRET,
            "AFTERWORD_STATUSPAGE_URL": f"{page_url}/v1",
        } | settings
        play = await stack.enter_async_context(on_stage(database_url, environ=environ))
        await play.slack.change_person(play.ana, email="ana@team.example")
        await open_incident(play)
        await play.pass_time(seconds=1)
        yield Site(play, jira, wiki, page)


async def act(site: Site) -> None:
    await type_command(site.play, site.play.ana, "/action enlarge the pool @Ana Demo due 2026-12-01")


async def open_issue(site: Site) -> None:
    await type_command(site.play, site.play.ana, "/incident jsm")


async def put_page(site: Site) -> None:
    await type_command(site.play, site.play.ana, "/postmortem confluence")


async def tell_customers(site: Site) -> None:
    assert (await site.play.slack.submit(site.play.ana, await draft_update(site.play))).ok


STEPS: dict[str, Step] = {"item": act, "issue": open_issue, "page": put_page, "customers": tell_customers}


async def rest(site: Site, minutes: int = 0) -> None:
    for _ in range(3):
        await site.play.pass_time(seconds=1, minutes=minutes)
    await site.play.settle()


def require_related(site: Site) -> None:
    """Everything leads to everything, once."""
    assert (len(site.jira.issues), len(site.wiki.pages), len(site.page.incidents)) == (2, 1, 1)
    assert site.links_at(site.item) == site.addresses
    assert site.links_at(site.issue) == site.addresses
    assert site.jira.related == [("Relates", site.issue, site.item)]
    assert site.body.count(f"{site.jira.url}/browse/{site.issue}") == 1
    assert site.body.count(site.link("statuspage", "customers").url) == 1
    assert site.left_with["afterword"] == {
        "incident": f"afterword-{TEAM}-inc-1".lower(),
        "page": "1000",
        "work_items": [site.item],
        "service_management": site.issue,
    }
    (public,) = site.page.incidents.values()
    assert (len(public["updates"]), site.page.mails) == (1, [])
    require_taken(site.body)


STRIDE = 6
"""`make fast` tries every sixth order, `make test` them all."""


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(order, marks=pytest.mark.slow if at % STRIDE else (), id="-".join(order))
        for at, order in enumerate(permutations(STEPS))
    ],
)
async def test_all_that_stands_is_linked_whatever_came_first(sqlite_url: str, order: tuple[str, ...]) -> None:
    async with everything(sqlite_url) as site:
        for name in order:
            await STEPS[name](site)
            await rest(site)
        require_related(site)
        made = len(site.jira.find_calls("POST .*/(remotelink|issueLink)$"))
        assert made == 7
        await rest(site, minutes=5)
        assert len(site.jira.find_calls("POST .*/(remotelink|issueLink)$")) == made
        for words in ("is on Confluence", "INC-1 is INC-", "is OPS-"):
            assert site.count_messages(words) <= 1


async def test_all_at_once_ends_the_same(database_url: str) -> None:
    async with everything(database_url) as site:
        for step in STEPS.values():
            await step(site)
        await rest(site)
        await rest(site, minutes=5)
        require_related(site)


@pytest.mark.slow
@pytest.mark.parametrize("day", [BadDay(acts=True, resets=True), BadDay(500), refuse_with(503, {})], ids=str)
@pytest.mark.parametrize(
    "call", ["POST .*/remotelink$", "POST .*/issueLink$", "PUT .*/pages/1000$", "PATCH|incidents$"]
)
@pytest.mark.parametrize("order", [("item", "page", "issue", "customers"), ("customers", "issue", "page", "item")])
async def test_a_call_that_fails_is_made_good_and_nothing_stands_twice(
    sqlite_url: str, order: tuple[str, ...], call: str, day: BadDay
) -> None:
    async with everything(sqlite_url) as site:
        for fake in (site.jira, site.wiki, site.page):
            fake.next_time(call, *[day] * 4)
        for name in order:
            await STEPS[name](site)
            await rest(site)
        for fake in (site.jira, site.wiki, site.page):
            fake.better()
        await rest(site, minutes=16)
        require_related(site)
        assert site.play.case().edited_sections == ()


@pytest.mark.parametrize("status", [403, 404, 413])
async def test_where_jira_links_no_issues_a_web_link_does_it(sqlite_url: str, status: int) -> None:
    async with everything(sqlite_url) as site:
        site.jira.next_time("POST .*/issueLink$", refuse_with(status, {"errorMessages": ["no"]}))
        for step in STEPS.values():
            await step(site)
            await rest(site)
        assert site.jira.related == []
        assert f"{site.jira.url}/browse/{site.issue}" in site.links_at(site.item)
        assert site.link("jira", "action 1").state == SyncState.IN_SYNC


async def test_a_page_gets_its_links_without_a_word_and_nothing_else(database_url: str) -> None:
    async with everything(database_url) as site:
        await put_page(site)
        await rest(site)
        before = site.body
        await type_command(site.play, site.play.ana, "/timeline failed over")
        await open_issue(site)
        await rest(site)
        top, _, below = site.body.partition("</p>")
        assert "INC-1 in Jira Service Management" in top
        assert below == before.partition("</p>")[2]
        assert site.count_messages("page of INC-1") == 0
        await put_page(site)
        await rest(site)
        assert "failed over" in site.body
        assert site.count_messages("The page of INC-1 is up to date") == 1


async def test_links_that_somebody_took_off_the_page_stay_off_it(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await put_page(site)
        await rest(site)
        site.wiki.edit("1000", "<p>Ours.</p>" + site.body.partition("</p>")[2])
        await open_issue(site)
        await rest(site)
        assert site.body.startswith("<p>Ours.</p>")
        assert "browse/" not in site.body


async def test_a_page_that_is_asked_for_while_its_links_are_owed_is_brought_up_to_date(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        await put_page(site)
        await rest(site)
        await type_command(site.play, site.play.ana, "/timeline failed over")
        site.wiki.next_time("PUT .*/pages/1000$", refuse_with(503, {}, **{"Retry-After": "60"}))
        await open_issue(site)
        await rest(site)
        await put_page(site)
        await rest(site, minutes=2)
        assert "failed over" in site.body
        assert site.body.count("in Jira Service Management") == 1


async def test_the_owner_and_the_responders_are_mentioned_once_jira_knows_them(database_url: str) -> None:
    async with everything(database_url) as site:
        await type_command(site.play, site.play.ana, "/timeline checkout answers 503")
        await type_command(site.play, site.play.ana, "/incident lead @Ana Demo")
        await act(site)
        await rest(site)
        await put_page(site)
        await rest(site)
        head = site.body.partition("<h2>")[0]
        assert head.count('<ri:user ri:account-id="acc-ana" />') >= 2
        assert "ri:user" not in site.body.partition("<h2>")[2]
        await put_page(site)
        await rest(site)
        assert site.count_messages("No changes for the page") == 1


async def test_another_page_takes_the_place_of_the_first_in_every_link(sqlite_url: str) -> None:
    async with everything(sqlite_url) as site:
        for step in STEPS.values():
            await step(site)
            await rest(site)
        site.wiki.pages["1000"]["status"] = "trashed"
        site.wiki.pages["1000"]["title"] += " (trashed)"
        await put_page(site)
        await rest(site)
        await site.play.slack.click(
            site.play.ana,
            next(
                message
                for message in reversed(site.play.slack.messages(site.play.channel))
                if "confluence_anew" in str(message.buttons)
            ),
            "confluence_anew",
        )
        await rest(site)
        assert site.link("confluence", "postmortem").external_id == "1001"
        assert site.links_at(site.item) == site.links_at(site.issue) == site.addresses


ACTION = {
    "summary": "Alert on pool exhaustion",
    "text": "1f0c",
    "due": None,
    "owner": "U1",
    "account": "",
    "done": True,
    "assigned": True,
    "accounts": {"U1": "acc-ana"},
    "there": {"due": "2026-12-01", "who": "acc-ana"},
    "seen": "2026-11-23T14:05:01+00:00",
    "gone": True,
    "linked": True,
    "links": {"a-page": "https://a.atlassian.net/wiki/1"},
    "incident": "INC-1",
    "agreed": True,
}
SERVICE_INCIDENT = {
    "title": "Checkout is failing",
    "severity": 2,
    "status": "open",
    "responders": ["acc-ana"],
    "accounts": {"U1": "acc-ana"},
    "seen": "2026-11-23T14:05:01+00:00",
    "linked": True,
    "links": {"a-page": "https://a.atlassian.net/wiki/1"},
}
PAGING = {
    "words": "need a database person",
    "by": "U1",
    "at": "2026-11-23T14:05:00+00:00",
    "request": "r-1",
    "sent_at": "2026-11-23T14:06:00+00:00",
}
UPDATE = {"status": "identified", "body": "It is the größte pool.", "components": ["c1"], "working": "", "mails": True}


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (ActionMemo, ACTION),
        (ServiceIncidentMemo, SERVICE_INCIDENT),
        (PagingMemo, PAGING),
        (CustomerUpdateMemo, UPDATE),
    ],
)
def test_every_key_of_a_stored_memo_is_read_and_written(kind: type[ActionMemo], stored: dict[str, object]) -> None:
    assert json.loads(kind.from_json(json.dumps(stored)).to_json()) == stored


def test_a_page_memo_is_the_same_after_a_round_trip() -> None:
    memo = PageMemo(is_masked=True, back=("leadup",), gone=("fault",), files={"timeline.svg": "a1"}, links_at=3)
    assert PageMemo.from_json(memo.to_json()) == memo
    assert PageMemo.from_json("") == PageMemo()


def test_a_memo_from_data_center_loads() -> None:
    """There people had user names for account ids."""
    memo = ActionMemo.from_json(
        '{"owner": "U1", "there": {"due": null, "who": "ana.demo"}, "accounts": {"U1": "ana.demo"}}'
    )
    assert memo.remote is not None
    assert (memo.remote.who, memo.accounts) == ("ana.demo", {"U1": "ana.demo"})


def test_nothing_is_sent_until_something_was() -> None:
    assert ActionMemo.from_json('{"agreed": true}') == ActionMemo(is_agreed=True)
    assert ActionMemo.from_json("").sent is None


def test_what_was_never_sent_has_changed() -> None:
    now = SentFields("Drill", "1f0c", None, "U1", "")
    assert now.changed_since(None) == {"summary", "text", "due", "owner", "account"}
    assert now.changed_since(SentFields("Drill", "1f0c", "2026-12-01", "U1", "")) == {"due"}


def test_what_all_issues_have_in_common_is_read_from_either_memo() -> None:
    for stored in (ACTION, SERVICE_INCIDENT):
        memo = IssueMemo.from_json(json.dumps(stored))
        assert memo.accounts == {"U1": "acc-ana"}
        assert memo.seen_at == datetime(2026, 11, 23, 14, 5, 1, tzinfo=UTC)


def test_a_page_from_before_its_time_was_stored_loads() -> None:
    assert PagingMemo.from_json('{"words": "db", "by": "U1"}') == PagingMemo("db", "U1")


STORED = {
    "INC-7 action 12": (SubjectKind.ACTION, 12),
    "INC-7 incident": (SubjectKind.SERVICE_INCIDENT, None),
    "INC-7 postmortem": (SubjectKind.POSTMORTEM, None),
    "INC-7 customers": (SubjectKind.PUBLIC_INCIDENT, None),
    "INC-7 customer update #4": (SubjectKind.CUSTOMER_UPDATE, 4),
    "INC-7 postmortem for customers": (SubjectKind.CUSTOMER_POSTMORTEM, None),
    "INC-7 way back from Statuspage": (SubjectKind.METADATA, None),
    "INC-7 page of #9": (SubjectKind.PAGE, 9),
}


@pytest.mark.parametrize(("stored", "meant"), STORED.items())
def test_a_stored_subject_is_read(stored: str, meant: tuple[SubjectKind, int | None]) -> None:
    kind, number = meant
    assert kind_of(stored) is kind
    if number is not None:
        assert number_in(stored) == number


@pytest.mark.parametrize(("stored", "meant"), STORED.items())
def test_a_subject_is_written_as_it_is_stored(stored: str, meant: tuple[SubjectKind, int | None]) -> None:
    incident = next(iter(SAMPLES.values())).incident
    assert subject_of(incident, *meant) == stored.replace("INC-7", incident.key)


def test_every_kind_is_stored_somewhere() -> None:
    assert {kind for kind, _ in STORED.values()} == set(SubjectKind)


@pytest.mark.parametrize("subject", ["", "INC-7", "INC-7 actions", "INC-7 postmortem of", "action 3"])
def test_what_is_no_subject_has_no_kind(subject: str) -> None:
    assert kind_of(subject) is None


def test_a_subject_that_few_people_would_understand_is_described_otherwise() -> None:
    descriptions = {stored: describe_subject(stored) for stored in STORED if describe_subject(stored) != stored}
    assert descriptions == {
        "INC-7 customers": "INC-7 incident for customers",
        "INC-7 way back from Statuspage": "INC-7 link from Statuspage",
    }
