"""Every button of the product is pressed when it is old somewhere, or shows what is now by its nature."""

import re
from pathlib import Path

import pytest

from handlers import TABLES
from tests.handlers.test_stale_buttons import REMINDED, TYPED
from tests.support.posted_buttons import COMPOSED, LASTING, POSTED, SETTLED

HERE = {old.action for old in TYPED} | {*REMINDED, "why_move", "lookback_choose", "alerts_open", "alerts_attach"}
HERE |= {"alerts_ignore", "alerts_again", "alerts_resolved", "alerts_mitigated", "timeline_at", "capture_at"}
ELSEWHERE = {
    **dict.fromkeys(("announce_follow", "announce_unfollow"), "test_followers.py"),
    **dict.fromkeys(("update_quiet", "update_end", "update_write"), "test_updates.py"),
    "action_held": "test_action_reminders.py",
    "action_came_back": "test_action_reminders.py",
    "actions_all_done": "test_outdated_buttons.py",
    "alerts_attach_here": "test_alerts.py",
    "alerts_more": "test_alert_storms.py",
    "confluence_anew": "../integrations/confluence/test_edited_pages.py",
    "confluence_overwrite": "../integrations/confluence/test_edited_pages.py",
    "confluence_back": "../integrations/confluence/test_edited_pages.py",
    "connections_account": "../integrations/test_outdated_buttons.py",
    "connections_again": "../integrations/test_outdated_buttons.py",
    "connections_agree": "../integrations/jira/test_private_incidents.py",
    "draft_look": "test_drafts.py",
    "draft_keep": "test_drafts.py",
    "draft_take": "test_drafts.py",
    "exports_decide": "test_outdated_buttons.py",
    **dict.fromkeys(("facets_add", "facets_merge"), "test_facets.py"),
    **dict.fromkeys(("postmortem_want", "postmortem_skip"), "test_policy.py"),
    "outline_choose": "test_outline.py",
    **dict.fromkeys(("review_good", "review_work"), "test_review.py"),
    "finding_lead": "test_outdated_buttons.py",
    "finding_severity": "test_outdated_buttons.py",
    "incident_at": "test_choices.py",
    "incident_form_open": "test_pending_entries.py",
    "lookback_again": "test_outdated_buttons.py",
    "milestone_change": "test_contradictions.py",
    "milestone_correct": "test_contradictions.py",
    "milestone_keep": "test_contradictions.py",
    "milestone_move": "test_contradictions.py",
    "milestone_note": "test_contradictions.py",
    "postmortem_publish": "test_outdated_buttons.py",
    "postmortem_publish_anyway": "test_publishing.py",
    "recall_same": "test_similar_incidents.py",
    "recall_other": "test_similar_incidents.py",
    "secret_harmless": "test_outdated_buttons.py",
    "secret_redact": "test_outdated_buttons.py",
    "secret_redact_files": "test_outdated_buttons.py",
    "secret_redact_there": "test_redaction_elsewhere.py",
    "statuspage_form": "../integrations/test_outdated_buttons.py",
    "timeline_edit_at": "test_choices.py",
    "timeline_paste_open": "test_pending_entries.py",
    "timeline_was": "test_offers.py",
    "why_reply": "test_why_replies.py",
}
"""Tests that press these when they are old."""

SHOWS_WHAT_IS_NOW = {
    "home_help",
    "home_search",
    "incident_channel",
    "library_read",
    "library_read_all",
    "numbers_show",
    "postmortem_show_all",
    "timeline_history",
    "action_edit",
    "confluence_look",
    "confluence_publish",
    "draft_anew",
    "exports_form",
    "facets_open",
    "review_cancel",
    "review_google",
    "review_outlook",
    "review_plan",
    "finding_link",
    "home_back",
    "home_on",
    "postmortem_export",
    "postmortem_fill",
    "postmortem_pick",
    "postmortem_show",
    "statuspage_draft",
    "timeline_entered",
    "timeline_newer",
    "timeline_older",
    "timeline_show",
}
"""They open or show a thing as it is at the press, or say it in words of their own that no change makes untrue."""


def list_buttons() -> set[str]:
    """Every action id that the handlers answer, without the numbers and formats at their ends."""
    names = {name for table in TABLES for name in (*table.clicks, *table.forms)}
    return {name if isinstance(name, str) else _VARIABLE.sub("", name.pattern) for name in names}


_VARIABLE = re.compile(r"_?(\\d\+|\[a-z\]\+|\[a-z0-9_-\]\+|\(.*\))$")


def test_every_button_of_the_product_is_in_one_of_the_tables() -> None:
    here = {re.sub(r"_\d+$", "", name) for name in HERE}
    assert list_buttons() == here | ELSEWHERE.keys() | SHOWS_WHAT_IS_NOW
    assert not SHOWS_WHAT_IS_NOW & (here | ELSEWHERE.keys())


@pytest.mark.parametrize("action", ELSEWHERE)
def test_a_test_that_is_named_for_an_old_button_is_there(action: str) -> None:
    assert f'"{action}' in (Path(__file__).parent / ELSEWHERE[action]).read_text(encoding="utf-8")


def test_what_is_posted_is_a_button_of_the_product_and_the_test_in_which_it_goes_is_there() -> None:
    assert list_buttons() >= POSTED
    assert not COMPOSED & SETTLED.keys() | (COMPOSED | SETTLED.keys()) & LASTING.keys()
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [name for name in SETTLED.values() if f"def {name}(" not in tests] == []
