"""The faults, each with what Afterword promises and the tests that show it.

`python -m tests.faults` writes docs/reliability.md from it.
"""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True)
class Fault:
    """`tests` are node ids below `tests/`, without parameters."""

    number: int
    name: str
    promise: str
    tests: tuple[str, ...]


_OUTBOX = "slack/test_outbox.py"
_SENDING = "slack/test_outbox_faults.py"
_OUTAGE = "slack/test_outbox_outages.py"
_SENDER = "slack/test_sender.py"
_SOCKET = "web/test_socket_mode.py"
_ONCE = "acceptance/test_once.py"
_KILLS = "acceptance/test_kills.py"
_SQLITE = "storage/database/test_writer_sqlite.py"
_POSTGRES = "storage/database/test_writer_postgres.py"
_DRIVERS = "storage/database/test_drivers.py"
_WEEKS = "acceptance/test_four_weeks.py"
_OVERDUE = "acceptance/test_overdue_actions.py"
_CLOCK = "acceptance/test_wrong_clock.py"

SLACK = (
    Fault(
        1,
        "Slack limits a post (429 with Retry-After)",
        "It waits as long as Slack says. Other channels go on. One post.",
        (f"{_SENDING}::test_a_rate_limit_is_waited_for_as_long_as_slack_says",),
    ),
    Fault(
        2,
        "429 without a wait, or with a senseless one",
        "30 s without one, at most an hour with one.",
        (f"{_SENDING}::test_a_senseless_wait_is_half_a_minute_and_the_longest_an_hour",),
    ),
    Fault(
        3,
        "500 or 503 to a post",
        "It is looked up in the channel, and repeated only if it isn't there.",
        (f"{_SENDING}::test_a_post_that_slack_may_have_taken_is_looked_for_and_then_sent",),
    ),
    Fault(
        4,
        "The connection breaks after Slack took the post",
        "It is found by its key. One post.",
        (
            f"{_SENDING}::test_a_post_whose_answer_was_lost_is_found_and_not_repeated",
            f"{_SENDING}::test_a_lost_answer_in_a_thread_is_found_in_the_thread",
        ),
    ),
    Fault(
        5,
        "No answer in time, though Slack took the post",
        "As with a lost answer: looked up first.",
        (f"{_SENDING}::test_no_answer_in_time_is_a_doubt",),
    ),
    Fault(
        6,
        "A lost answer where the bot may not read the channel",
        "It is sent once more, so it may be there twice. This is the one case.",
        (
            f"{_SENDING}::test_where_nobody_may_look_it_is_said_again",
            f"{_SENDING}::test_where_looking_fails_for_now_nothing_is_said_blindly",
        ),
    ),
    Fault(
        7,
        "No network for hours",
        "Everything waits, and goes out once in order when the network is back, at a pace that Slack takes.",
        (
            f"{_SENDING}::test_a_night_without_a_network_loses_nothing",
            f"{_OUTAGE}::test_after_an_outage_each_channel_gets_its_messages_in_order",
            f"{_OUTAGE}::test_after_slack_took_requests_and_never_answered_a_channel_keeps_its_order",
            f"{_OUTAGE}::test_what_an_outage_left_goes_out_in_a_burst_and_leaves_room_for_an_answer",
        ),
    ),
    Fault(
        8,
        "200 with something that isn't Slack's answer",
        "Slack may have taken the post, so it is looked up.",
        (f"{_SENDER}::test_an_answer_that_is_not_slacks_may_come_after_the_message_was_taken",),
    ),
    Fault(
        9,
        "The token is refused",
        "Sending pauses, `/readyz` says why, nothing is lost, and it goes on once the token is accepted.",
        (
            f"{_SENDING}::test_a_refused_token_stops_the_round_and_heals",
            f"{_OUTAGE}::test_a_refused_token_is_left_alone_for_its_pause_however_often_the_outbox_is_woken",
        ),
    ),
    Fault(
        10,
        "A scope is missing",
        "The message is given up with Slack's reason; `afterword doctor` names the scope and what it is for.",
        (
            f"{_OUTBOX}::test_what_nobody_can_be_told_is_given_up_with_the_reason",
            "test_doctor.py::test_a_missing_needed_scope_fails_and_is_named",
        ),
    ),
    Fault(
        11,
        "The channel is archived",
        "No retries. One person is told by DM, and the postmortem can still be finished.",
        (
            f"{_OUTBOX}::test_what_is_refused_for_good_goes_to_somebody_else_once",
            "handlers/test_other_channels.py::test_a_waiver_from_the_dm_is_answered_there_though_the_channel_is_archived",
        ),
    ),
    Fault(
        12,
        "The bot is removed from the channel, and invited again",
        "Recording goes on. What is due after the invitation is posted there again.",
        (
            "handlers/test_channels.py::test_recording_works_where_the_bot_is_not_a_member",
            "faults/test_channels.py::test_after_an_invitation_the_next_reminder_is_posted_in_the_channel_again",
        ),
    ),
    Fault(
        13,
        "A person is deactivated",
        "Their reminders go to the lead, or to the channel.",
        (
            f"{_WEEKS}::test_an_owner_who_left_is_not_asked_but_the_lead_and_the_channel_are",
            f"{_OVERDUE}::test_what_somebody_owed_who_left_goes_to_the_lead_who_can_settle_it_there",
        ),
    ),
    Fault(
        14,
        "Someone deletes the live message",
        "It is posted again, once.",
        (f"{_OUTBOX}::test_a_card_that_somebody_deleted_is_posted_anew",),
    ),
    Fault(
        15,
        "A recorded message is edited or deleted",
        "The entry stays and says so. The first wording is in its history.",
        (
            "handlers/test_capture_changes.py::test_an_edit_of_the_message_is_shown_and_the_first_wording_kept",
            "handlers/test_capture_changes.py::test_a_deletion_of_the_message_is_shown_and_the_entry_stays",
        ),
    ),
    Fault(
        16,
        "The socket breaks or is refreshed",
        "A command is answered soon after, and an event that comes again is recorded once.",
        (
            f"{_SOCKET}::test_a_line_that_is_cut_is_taken_up_again_before_the_client_itself_looks",
            f"{_SOCKET}::test_when_slack_wants_a_new_connection_a_command_is_answered_soon_after",
            "handlers/test_capture.py::test_an_event_that_comes_twice_records_once",
        ),
    ),
    Fault(
        17,
        "The same delivery three times at once, or to two replicas",
        "One row, and the same reply to each.",
        (
            f"{_ONCE}::test_a_command_delivered_three_times_at_once_is_one_entry",
            f"{_ONCE}::test_the_same_delivery_to_two_replicas_at_once_is_one_entry",
        ),
    ),
    Fault(
        18,
        "Events arrive in the wrong order",
        "The end is the same: a reaction that is gone leaves no entry, whichever event came first.",
        ("faults/test_channels.py::test_a_reaction_s_end_that_arrives_before_its_beginning_leaves_no_entry",),
    ),
    Fault(
        19,
        "A command's body is replayed",
        "One row, and the reply from before.",
        (f"{_ONCE}::test_a_command_delivered_three_times_one_after_the_other_is_one_entry",),
    ),
    Fault(
        20,
        "Two people type the same words",
        "Two entries.",
        (f"{_ONCE}::test_the_same_words_typed_by_two_people_are_two_entries",),
    ),
)

PROCESS = (
    Fault(
        21,
        "SIGKILL before the commit",
        "No acknowledgement and no row. Sent again, it is recorded once.",
        (f"{_KILLS}::test_fifty_kills_lose_nothing_acknowledged_and_double_nothing",),
    ),
    Fault(
        22,
        "SIGKILL after the commit, before the acknowledgement",
        "The repeated delivery finds the row and gets the reply that was stored with it.",
        ("faults/test_named_kills.py::test_killed_after_the_commit_the_repeat_gets_the_stored_reply",),
    ),
    Fault(
        23,
        "SIGKILL between a message's claim and its post",
        "The next process sends it once.",
        (
            f"{_KILLS}::test_killed_between_a_reminder_s_claim_and_its_send_it_is_sent_once",
            f"{_SENDING}::test_a_process_killed_after_its_claim_loses_nothing",
        ),
    ),
    Fault(
        24,
        "SIGKILL after the post, before it is marked as sent",
        "The next process finds the post by its key. One post. Later messages to the channel wait for it.",
        (
            f"{_KILLS}::test_killed_between_a_reminder_s_claim_and_its_send_it_is_sent_once",
            "faults/test_named_kills.py::test_killed_while_slack_answers_nothing_a_channel_keeps_its_order",
        ),
    ),
    Fault(
        25,
        "SIGTERM while sending",
        "What is under way is finished, nothing new begins, and the process ends with status 0.",
        (
            f"{_OUTBOX}::test_cancelling_the_loop_does_not_break_an_attempt_off",
            "web/test_server.py::test_a_request_under_way_is_answered_before_the_server_ends",
            "faults/test_named_kills.py::test_ended_in_order_while_slack_is_slow_the_post_is_finished_and_the_status_is_0",
        ),
    ),
)

STORAGE = (
    Fault(
        26,
        "Another program holds the SQLite file",
        "A short hold is waited out. After 1.5 s the answer is *NOT recorded*, and nothing appears later.",
        (
            f"{_SQLITE}::test_a_short_hold_is_waited_out",
            f"{_SQLITE}::test_while_another_holds_the_file_nothing_is_recorded_and_nothing_appears_later",
        ),
    ),
    Fault(
        27,
        "The disk stands still",
        "An honest answer within Slack's 3 s.",
        (
            "storage/database/test_writer.py::test_while_the_disk_stands_still_there_is_an_honest_answer_in_time",
            f"{_SQLITE}::test_who_types_is_answered_before_slack_gives_up",
        ),
    ),
    Fault(
        28,
        "The disk is full",
        "*NOT recorded*. Reading goes on, and with room it writes again without a restart.",
        (
            f"{_SQLITE}::test_on_a_full_disk_nothing_is_recorded_reading_goes_on_and_with_room_it_writes_again",
            f"{_SQLITE}::test_on_a_full_disk_the_whole_transaction_is_refused_and_no_half_of_it_stays",
        ),
    ),
    Fault(
        29,
        "The database's folder can't be written",
        "The program refuses to start, and says which folder and what to do.",
        ("faults/test_folders.py::test_a_folder_that_cannot_be_written_is_named_at_the_start",),
    ),
    Fault(
        30,
        "Not a database, a damaged page, a newer schema",
        "Refused with a sentence; the file is not touched.",
        (
            f"{_DRIVERS}::test_a_file_that_is_no_database_is_refused_untouched",
            "storage/migrations/test_migrations.py::test_a_damaged_page_is_told_and_the_file_kept",
            "storage/migrations/test_migrations.py::test_a_database_of_a_newer_version_is_refused",
        ),
    ),
    Fault(
        31,
        "The database file is removed under the bot",
        "Nothing more is called recorded, and `/readyz` says why.",
        (
            f"{_DRIVERS}::test_a_file_that_was_removed_under_a_running_store_is_noticed",
            "web/test_health.py::test_a_database_file_that_was_removed_is_told",
        ),
    ),
    Fault(
        32,
        "PostgreSQL restarts under load",
        "Some answers are *NOT recorded*. Nothing acknowledged is lost, and it goes on by itself.",
        (
            f"{_POSTGRES}::test_while_the_server_is_down_nothing_is_recorded_and_when_it_is_back_it_is",
            "faults/test_replicas.py::test_a_restart_of_the_server_under_load_loses_and_doubles_nothing",
        ),
    ),
    Fault(
        33,
        "The answer to COMMIT is lost",
        "The outcome is looked up by the delivery's key, not guessed.",
        (f"{_POSTGRES}::test_a_commit_without_an_answer_is_looked_up_and_recorded_once",),
    ),
    Fault(
        34,
        "A deadlock or a serialization error",
        "The unit is run again within its time.",
        (f"{_POSTGRES}::test_replicas_that_lock_each_other_out_both_get_through",),
    ),
)

TIME = (
    Fault(
        35,
        "Two replicas sweep at once",
        "Each reminder once.",
        (
            f"{_ONCE}::test_two_replicas_that_sweep_at_once_remind_of_each_postmortem_once",
            "storage/test_deliveries.py::test_two_replicas_claim_every_message_once",
        ),
    ),
    Fault(
        36,
        "Thousands of messages are overdue after a week off",
        "The newest step alone, one digest a person, each once.",
        (
            f"{_WEEKS}::test_after_a_week_of_downtime_only_the_latest_step_goes_out_and_says_how_long_ago",
            f"{_OVERDUE}::test_a_week_of_downtime_is_made_up_for_with_one_digest_a_person",
            "faults/test_replicas.py::test_due_messages_are_sent_once_though_one_of_three_replicas_is_killed",
        ),
    ),
    Fault(
        37,
        "A clock that is wrong: back, years ahead, or apart from another replica's",
        "No stall and nothing twice. The database's clock counts, and a leap is doubted until it is confirmed.",
        (
            "test_scheduler.py::test_a_clock_set_back_stops_nothing",
            "test_scheduler.py::test_a_clock_years_ahead_is_one_missed_tick_and_not_a_million",
            f"{_CLOCK}::test_while_slack_is_silent_a_clock_a_year_ahead_settles_nothing",
            f"{_CLOCK}::test_a_replica_that_is_ten_minutes_off_says_so_and_works",
        ),
    ),
    Fault(
        38,
        "Summer time, leap days, dates far away",
        "24 hours are 86,400 seconds; a due date ends where its owner lives.",
        (
            f"{_OVERDUE}::test_it_stays_at_nine_when_the_clocks_change",
            f"{_OVERDUE}::test_it_comes_at_nine_where_the_owner_lives_from_the_day_after_the_due_date",
            "domain/times/test_zones.py::test_a_winter_name_in_summer_has_two_honest_readings",
        ),
    ),
    Fault(
        39,
        "The reason goes between a reminder's claim and its post",
        "It is decided when it is sent: nothing goes out.",
        (
            f"{_WEEKS}::test_nothing_goes_out_when_the_reason_goes_between_the_claim_and_the_send",
            f"{_OUTBOX}::test_what_is_said_is_decided_at_the_time_of_sending",
        ),
    ),
)

PEOPLE = (
    Fault(
        40,
        "Two people edit the same text",
        "Neither loses a word: the second sees both.",
        (
            "handlers/test_corrections.py::test_of_two_people_in_the_window_neither_loses_a_word",
            "handlers/test_postmortem.py::test_two_people_writing_one_section_both_see_both_texts",
        ),
    ),
    Fault(
        41,
        "A window can't be opened in time, or can't be saved",
        "The person is told, and gets back what they typed.",
        (
            "handlers/test_trouble.py::test_a_window_that_slack_does_not_open_is_said",
            "handlers/test_trouble.py::test_a_form_that_breaks_while_it_is_saved_gives_its_text_back",
        ),
    ),
    Fault(
        42,
        "A team's template is broken, endless or huge",
        "Ours is used, and the export says what is wrong.",
        ("export/sandbox/test_team_templates.py::test_what_cannot_be_used_gives_way_to_ours_and_says_so",),
    ),
    Fault(
        43,
        "A body that Slack would never send",
        "400 or 401 without a trace, and no row.",
        (
            "web/test_guard.py::test_whatever_comes_signed_is_either_read_or_a_bad_request",
            "web/test_guard.py::test_whatever_is_not_signed_is_denied",
        ),
    ),
    Fault(
        44,
        "40,000 characters, NUL, lone surrogates",
        "Stored whole or refused with a sentence; shown within Slack's limits.",
        (
            "handlers/test_words.py::test_nul_and_lone_surrogates_never_reach_the_record",
            "handlers/test_words.py::test_forty_thousand_characters_are_kept_whole_and_shown_short",
        ),
    ),
    Fault(
        45,
        "Hostile texts in every place",
        "Read back as they were stored; each format shows them as text.",
        ("export/test_corpus.py",),
    ),
    Fault(
        46,
        "The database or Slack fails at any call of any command",
        "What was acknowledged is stored, what was refused is not, nothing is there twice, and the next command works.",
        (
            "faults/test_every_call.py::test_the_database_may_fail_at_any_statement_of_any_command",
            "faults/test_every_call.py::test_slack_may_fail_at_any_call_that_follows_a_command",
        ),
    ),
)

PARTS = {
    "Slack": SLACK,
    "The process": PROCESS,
    "The database": STORAGE,
    "Time": TIME,
    "What people and programs send": PEOPLE,
}
FAULTS = tuple(fault for part in PARTS.values() for fault in part)
SHOWN = frozenset(test for fault in FAULTS for test in fault.tests)


def is_shown_by(node: str) -> bool:
    """Whether a test, by its node id below the checkout, shows a fault."""
    path = node.partition("[")[0].removeprefix("tests/")
    return path in SHOWN or path.partition("::")[0] in SHOWN


def page() -> str:
    """The page for operators, as Markdown."""
    lines = [
        "# Reliability",
        "",
        "What goes wrong around Afterword, what it promises then, and the test that shows it. `make faults` runs these",
        "tests alone, on both databases where that matters. `.venv/bin/python -m tests.faults` writes this page.",
    ]
    for part, faults in PARTS.items():
        lines += ["", f"## {part}", "", "| | what happens | what Afterword promises | shown by |", "|---|---|---|---|"]
        lines += [f"| {each.number} | {each.name} | {each.promise} | {_links(each)} |" for each in faults]
    return "\n".join(lines) + "\n"


def _links(fault: Fault) -> str:
    return "<br>".join(f"[`{test.rpartition('/')[2]}`](../tests/{test.partition('::')[0]})" for test in fault.tests)
