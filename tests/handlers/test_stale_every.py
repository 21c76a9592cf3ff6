"""Every button of the product is pressed when it is old somewhere, or shows what is now by its nature."""

import re
from pathlib import Path

from tests.handlers.test_stale_buttons import REMINDED, TYPED

HANDLERS = Path(__file__).resolve().parents[2] / "handlers"

HERE = {old.action for old in TYPED} | {*REMINDED, "why_move", "lookback_choose", "alerts_open", "alerts_attach"}
HERE |= {"alerts_ignore", "alerts_again", "alerts_resolved", "alerts_mitigated", "timeline_at", "capture_at"}
ELSEWHERE = {
    "action_held": "test_chasing.py",
    "action_came_back": "test_chasing.py",
    "alerts_attach_here": "test_alerts.py",
    "alerts_more": "test_alert_storms.py",
    "confluence_anew": "../scribe/test_confluence_edited.py",
    "confluence_overwrite": "../scribe/test_confluence_edited.py",
    "confluence_back": "../scribe/test_confluence_edited.py",
    "connections_agree": "../scribe/test_jira_private.py",
    "draft_look": "test_drafts.py",
    "draft_keep": "test_drafts.py",
    "draft_take": "test_drafts.py",
    "incident_at": "test_choices.py",
    "incident_form_open": "test_carried.py",
    "lookback_again": "test_lookback.py",
    "postmortem_publish": "test_elsewhere.py",
    "recall_same": "test_recall.py",
    "recall_other": "test_recall.py",
    "secret_redact": "test_secrets.py",
    "secret_redact_there": "test_redaction_elsewhere.py",
    "timeline_edit_at": "test_choices.py",
    "timeline_paste_open": "test_carried.py",
    "timeline_was": "test_offers.py",
    "why_reply": "test_whys_replies.py",
}
"""Tests that press these when they are old."""

SHOWS_WHAT_IS_NOW = {
    "action_edit",
    "confluence_look",
    "confluence_publish",
    "connections_account",
    "connections_again",
    "draft_anew",
    "exports_decide",
    "exports_form",
    "finding_link",
    "home_back",
    "home_on",
    "postmortem_export",
    "postmortem_fill",
    "postmortem_pick",
    "postmortem_show",
    "secret_harmless",
    "secret_redact_files",
    "statuspage_draft",
    "statuspage_form",
    "timeline_entered",
    "timeline_newer",
    "timeline_older",
    "timeline_show",
}
"""They open or show a thing as it is at the press, or say it in words of their own that no change makes untrue."""


def test_every_button_of_the_product_is_in_one_of_the_tables() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in HANDLERS.glob("*.py"))
    found = set(re.findall(r'app\.action\("([a-z_]+)"\)', source))
    found |= {name.rstrip("_") for name in re.findall(r're\.compile\(r"([a-z_]+?)_?(?:\\d|\(|\[)', source)}
    found |= {"finding_link", "action_day", "home_back", "home_on"}
    tables = {re.sub(r"_\d+$", "", name) for name in HERE} | set(ELSEWHERE) | SHOWS_WHAT_IS_NOW
    assert {name for name in found if name.partition("_")[0] in PARTS} - tables == set()


PARTS = {name.partition("_")[0] for name in (*HERE, *ELSEWHERE, *SHOWS_WHAT_IS_NOW)}
