"""Every form that holds something of the record is sent, unchanged but for one field, as Slack sends it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import samples as samples_rules
from bot.domain.document import EditedText
from bot.domain.records import Action, Case, EditOrigin, Person
from bot.domain.sections import BY_SLUG
from bot.domain.timeline import FormMoment, parse_time
from bot.export.drafts import Region, RegionEdits
from bot.rehearsal.block_kit import check_view, collect_state, enter_values, find_input
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views import corrections as corrections_views
from bot.slack.views import drafts as drafts_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Block
from bot.slack.views.timeline import Clocks
from handlers import TABLES
from handlers.requests import Submission, submission_of
from tests.domain.test_form_fields import NOW, ZONES, texts, times

PLACE = {"channel": "C0CHECKOUT", "url": "https://hooks.slack.example/" + "x" * 120, "whisper": True, "home": False}
CASE: Case = samples_rules.SAMPLES["everything known"]
GROUPS: actions_views.Groups = (("S0ONCALL", "oncall"), ("S0DB", "database"))

HOLDING = {
    "timeline_edit",
    "why_edit",
    "action_edit",
    "action_add",
    "finding_action",
    "postmortem_section",
    "draft_anew",
}
"""The forms that are filled with something of the record; each is sent below."""

OTHERS = {
    *("timeline_add", "timeline_paste", "lookback_record", "why_answer"),  # what is typed or ticked in them is new
    *("action_date", "action_hand_over", "action_drop", "postmortem_hand_over", "postmortem_waive"),  # one new value
    *("incident_open", "incident_milestone", "postmortem_pick", "alerts_attach", "connections_account"),
    *("finding_lead", "finding_severity", "incident_search"),
    *("statuspage_update", "statuspage_confirm", "statuspage_draft", "confluence_agree", "exports_post"),
    *("facets_form", "review_plan", "review_work", "update_write"),
}


def submit(view: Block, typed: Mapping[str, Any] | None = None) -> Submission:
    """The form as Slack sends it once someone has typed something."""
    check_view(view, "modal")
    assert len(json.dumps(PLACE | json.loads(view["private_metadata"]), ensure_ascii=False)) <= 3_000
    state = {"values": collect_state(view["blocks"], enter_values(view["blocks"], typed or {}))}
    body = {"view": {**view, "state": state}, "user": {"id": "U0ANA", "team_id": "T1"}, "team": {"id": "T1"}}
    return submission_of(body, NOW)


def changes(form: Submission, *names: str) -> dict[str, str]:
    """What of the form is taken for a change."""
    found = {name: blocks.read_change(form.metadata, name, str(form.values.get(name) or "")) for name in names}
    found["text"] = blocks.read_text_change(form.metadata, form.values)
    return {name: value for name, value in found.items() if value is not None}


def test_every_form_is_known_to_hold_something_of_the_record_or_nothing() -> None:
    known = {name for table in TABLES for name in table.submissions}
    assert known == HOLDING | OTHERS


@given(times(), texts(), st.sampled_from(ZONES), st.booleans())
def test_an_entry_is_sent_as_it_was(when: FormMoment, text: str, zone: ZoneInfo, is_struck: bool) -> None:
    entry = replace(
        CASE.entries[0],
        happened_at=when.start,
        ended_at=when.end,
        approximate=when.approximate,
        text=text,
        struck=is_struck,
    )
    view = corrections_views.edit_form(entry, Clocks(NOW, zone, "there"))
    if not text:
        return  # Slack does not send an empty field that must be filled
    assert changes(submit(view), "when") == {}
    assert changes(submit(view, {"when": "12:01 UTC"}), "when") == {"when": "12:01 UTC"}
    if len(text) <= 3_000:
        assert changes(submit(view, {"text": "anew"}), "when") == {"text": "anew"}
    element = find_input(view["blocks"], "when")[1]
    assert parse_time(element["initial_value"], NOW, zone) == when


@given(texts())
def test_a_why_and_the_words_of_an_action_are_sent_as_they_were(text: str) -> None:
    if not text:
        return
    views = (
        whys_views.edit_form(replace(CASE.whys[0], text=text), "C0CHECKOUT", 1),
        actions_views.edit_form(replace(CASE.actions[0], text=text)),
    )
    for view in views:
        assert changes(submit(view)) == {}
        if any(block.get("block_id") == "text" for block in view["blocks"]):
            assert "text" in changes(submit(view, {"text": "anew"}))


@given(texts(), st.integers(0, 9), st.booleans())
def test_a_section_is_sent_as_it_was(text: str, version: int, is_draft: bool) -> None:
    filling = postmortem_views.SectionFilling(text, version, is_draft, "")
    view = postmortem_views.section_form(CASE, BY_SLUG["fault"], filling, (), NOW.date())
    assert changes(submit(view)) == {}
    if any(block.get("block_id") == "text_0" for block in view["blocks"]) and text != "anew":
        assert "text" in changes(submit(view, {"text_0": "anew"}))


@given(texts(), texts())
def test_two_texts_of_a_draft_stand_in_the_form_one_below_the_other(one: str, other: str) -> None:
    texts = [
        EditedText("fault", number, EditOrigin.EDITED, markdown, "", 0, None, "file", "", NOW, stands=True)
        for number, markdown in enumerate((one, other), 1)
    ]
    edits = RegionEdits(Region("fault", "Fault", ""), tuple(texts), "", 2)
    view = drafts_views.rewrite_form(edits, CASE.incident)
    text = blocks.read_text(submit(view).metadata, submit(view).values)
    assert text is None or text == drafts_views.join_texts(edits).strip()


@given(
    st.sampled_from([None, "U0ANA", "W0LEFT", "S0ONCALL", "S0GONE", "ana@example.com", "afterword-import"]),
    st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from(["", "https://tracker.example.com/OPS-12", "https://x.example/" + "y" * 1_900, "h" * 3_100]),
    st.booleans(),
)
def test_an_action_is_sent_as_it_was(owner: str | None, due: date | None, link: str, knows_groups: bool) -> None:
    action: Action = replace(CASE.actions[0], owner=owner, due_on=due, link=link)
    person = Person("T1", owner or "", "Somebody", is_deactivated=owner == "W0LEFT")
    view = postmortem_views.action_form(action, CASE.incident, person, GROUPS if knows_groups else ())
    form = submit(view)
    given_owner = actions_views.read_owner(form.values) or ""
    assert blocks.read_change(form.metadata, "owner", given_owner) is None
    assert changes(form, "due", "link") == {}
    assert given_owner in ("", owner)
    assert form.values["due"] == (due and due.isoformat())
    moved = submit(view, {"due": "2031-01-01"})
    assert changes(moved, "due", "link") == {"due": "2031-01-01"}


def test_the_form_of_an_action_for_a_why_begins_with_no_words() -> None:
    form = submit(actions_views.add_form(CASE.incident, CASE.whys[0], GROUPS))
    assert not form.values["text"]


def test_what_stands_in_a_field_of_a_form_that_takes_its_own_place_has_a_place_of_its_own() -> None:
    entry = replace(CASE.entries[0], version=7)
    clocks = Clocks(NOW, UTC, "")
    again = corrections_views.conflict_form(entry, clocks, corrections_views.EditedFields(None, "mine"), "Bo")["view"]
    places = [block["block_id"] for block in again["blocks"] if "block_id" in block]
    assert places == ["when@7", "text@7"]
    assert [blocks.field_name(place) for place in places] == ["when", "text"]
    assert changes(submit(again), "when") == {"text": "mine"}
