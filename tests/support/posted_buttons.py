"""The buttons of messages with an address in Slack, and what takes each away once it does nothing useful any more.

Every play checks what was posted against this: a new kind of message with a button is added here, with the test that
shows that the button goes, or with the reason why it stays.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.slack.views.blocks import MORE

COMPOSED = frozenset(
    {
        *("incident_milestone", "incident_mitigated", "timeline_form_open", "timeline_show"),  # the live message
        "facets_open",
        *("why_action", "why_answer", "why_no_root", "why_root"),  # prompts
        *("alerts_attach", "alerts_attach_here", "alerts_ignore", "alerts_more", "alerts_open", "alerts_again"),
        *("action_came_back", "action_held", "actions_all_done"),  # reminders, as those below
        *("announce_follow", "announce_unfollow"),  # posts for people outside
        *("update_end", "update_quiet", "update_write"),  # the question about a late update
        *("review_good", "review_work"),  # invitations: they become the answer
        *("postmortem_snooze", "postmortem_hand_over", "postmortem_waive"),
    }
)
"""Of messages that are composed anew when their thing changes: the tests of each noun show it."""

SETTLED = {
    "action_date": "test_an_owners_notice_loses_its_buttons_once_the_action_is_over_or_somebody_elses",
    "action_done": "test_an_owners_notice_loses_its_buttons_once_the_action_is_done_in_jira",
    "action_drop": "test_an_owners_notice_loses_its_buttons_once_the_action_is_over_or_somebody_elses",
    "action_hand_over": "test_an_owners_notice_loses_its_buttons_once_the_action_is_over_or_somebody_elses",
    "action_reopen": "test_the_answer_in_a_dm_loses_reopen_once_the_action_is_open_again",
    "alerts_mitigated": "test_that_alerts_have_ended_is_not_asked_any_more_once_the_incident_is_over",
    "alerts_resolved": "test_that_alerts_have_ended_is_not_asked_any_more_once_the_incident_is_over",
    "confluence_anew": "test_a_page_in_which_nothing_is_found_is_left_alone_until_somebody_decides",
    "confluence_back": "test_a_region_that_people_took_off_stays_off_until_somebody_wants_it_back",
    "confluence_look": "test_the_question_about_a_private_page_goes_once_somebody_agreed",
    "confluence_overwrite": "test_a_page_in_which_nothing_is_found_is_left_alone_until_somebody_decides",
    "connections_account": "test_find_in_jira_goes_once_the_person_is_found",
    "connections_again": "test_try_again_goes_with_the_last_failure_of_the_channel",
    "connections_agree": "test_agreed_to_twice_is_said",
    "draft_look": "test_each_text_to_choose_has_a_button_that_goes_once_it_is_chosen",
    "exports_decide": "test_the_question_of_who_reads_an_export_goes_once_it_is_decided",
    "finding_action": "test_findings_in_a_dm_lose_the_buttons_of_those_that_were_mended",
    "finding_lead": "test_findings_in_a_dm_lose_the_buttons_of_those_that_were_mended",
    "finding_link": "test_findings_in_a_dm_lose_the_buttons_of_those_that_were_mended",
    "finding_severity": "test_findings_in_a_dm_lose_the_buttons_of_those_that_were_mended",
    "incident_resolved": "test_that_alerts_have_ended_is_not_asked_any_more_once_the_incident_is_over",
    "lookback_again": "test_a_scan_that_failed_loses_try_again_once_it_runs_again",
    "lookback_choose": "test_the_result_of_a_scan_loses_review_once_all_is_recorded",
    "postmortem_fill": "test_a_reminder_names_the_section_that_is_next_by_now",
    "postmortem_publish": "test_a_publication_loses_reopen_once_it_is_reopened_by_command",
    "postmortem_reopen": "test_a_publication_loses_reopen_once_it_is_reopened_by_command",
    "secret_harmless": "test_a_warning_that_was_answered_as_harmless_asks_no_more_and_still_redacts",
    "secret_redact": "test_a_warning_loses_its_buttons_once_the_words_are_redacted_by_command",
    "secret_redact_files": "test_a_warning_about_an_entry_with_a_file_keeps_the_button_that_deletes_the_file",
    "statuspage_form": "test_the_last_word_to_customers_is_not_asked_for_any_more_once_they_read_it",
    **dict.fromkeys(
        ("timeline_edit", "timeline_history", "timeline_restore", "timeline_undo", "timeline_utc"),
        "test_a_correction_that_all_read_loses_its_buttons_once_the_entry_is_changed_again",
    ),
}
"""Of messages that are stored as they were sent: the test in which the button goes."""

LASTING = {
    "action_edit": "an action may be edited at any time",
    "action_day": "a question in a DM, answered by the next line typed there; pressed late it says what is now",
    "confluence_publish": "it brings the page up to date again",
    "exports_form": "a document may be ordered at any time",
    "incident_channel": "a link",
    "library_read": "a link",
    "incident_form_open": "an incident may be opened at any time; a DM has no incident that could end it",
    "postmortem_export": "a document may be ordered at any time",
    "postmortem_pick": "a section may be rewritten at any time",
    "postmortem_publish_anyway": "a question in a DM; pressed late it says that the postmortem is published",
    "postmortem_show": "it shows the postmortem as it is",
    "postmortem_show_all": "it shows the findings as they are",
    "recall_other": "a verdict may be changed at any time",
    "recall_same": "a verdict may be changed at any time",
    "review_google": "a link",
    "review_outlook": "a link",
}
"""What stays useful as long as the message is there, and why."""

POSTED = COMPOSED | SETTLED.keys() | LASTING.keys()

_NUMBER = re.compile(r"_(?:\d+|now|keep)$|(?<=^exports_form)_[a-z]+$")


def list_buttons(blocks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The action ids of some blocks, without the numbers and formats at their ends."""
    for block in blocks:
        for element in (*(block.get("elements") or ()), block.get("accessory") or {}):
            if element.get("action_id") == MORE:
                yield from (_NUMBER.sub("", json.loads(line["value"])["do"]) for line in element["options"])
            elif "action_id" in element:
                yield _NUMBER.sub("", element["action_id"])
