"""Milestones that contradict the record are asked as they are typed: nothing is lost, and nothing recorded wrong."""

from datetime import UTC, datetime

import pytest

from bot.domain.records import Milestone, Status
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play

# It is 12:00 UTC, and 13:00 on Ana's clock; times are written in UTC.


def marks(play: Play) -> list[tuple[int, Milestone, str]]:
    return [(e.number, e.milestone, f"{e.happened_at:%H:%M}") for e in play.case().entries if e.milestone]


async def mitigated_at_1130(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.ana, "/incident mitigated 11:30 UTC failed over")
    await play.settle()


async def test_what_is_resolved_before_it_got_better_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        answer = await type_command(play, play.ana, "/incident resolved 11:10 UTC queue drained")
        assert "Resolved at 11:10 UTC" in answer
        assert "would be before mitigated at 11:30 UTC" in answer
        assert ", #2." in answer
        assert "queue drained" in answer
        assert "Not recorded yet." in answer
        assert play.case().incident.status is Status.MITIGATED
        assert [number for number, *_ in marks(play)] == [2]
        asked = having(play, play.ana, "milestone_keep")
        assert asked.ephemeral_for == play.ana
        assert labels(asked) == ["Record resolved 11:10 UTC", "Record it, and correct #2", "Change the time"]


async def test_it_is_recorded_as_typed_where_its_author_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        await type_command(play, play.ana, "/incident resolved 11:10 UTC queue drained")
        await press(play, play.ana, "milestone_keep")
        case = play.case()
        assert case.incident.status is Status.RESOLVED
        assert case.incident.resolved_at == datetime(2026, 11, 23, 11, 10, tzinfo=UTC)
        assert (3, Milestone.RESOLVED, "11:10") in marks(play)
        assert "queue drained" in [entry.text for entry in case.entries]
        assert any("INC-1 resolved*" in message.plain for message in play.slack.messages(play.channel))
        assert not [m for m in play.slack.messages(play.channel, user=play.ana) if "Not recorded yet" in m.plain]


async def test_it_is_recorded_and_the_other_corrected_in_its_form(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        await type_command(play, play.ana, "/incident resolved 11:10 UTC")
        view = await window(play, play.ana, "milestone_correct")
        assert play.case().incident.status is Status.RESOLVED
        assert "failed over" in view.plain
        await play.slack.submit(play.ana, view, {"when": "11:05 UTC", "text": "failed over"})
        await play.settle()
        assert marks(play) == [(2, Milestone.MITIGATED, "11:05"), (3, Milestone.RESOLVED, "11:10")]


async def test_a_slip_is_changed_in_the_form_that_holds_what_was_typed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        await type_command(play, play.ana, "/incident resolved 11:10 UTC queue drained")
        view = await window(play, play.ana, "milestone_change")
        fields = {block["block_id"]: block["element"] for block in view.blocks}
        assert fields["milestone"]["initial_option"]["value"] == "resolved"
        assert "queue drained" in fields["text"]["initial_value"]
        await play.slack.submit(play.ana, view, {"milestone": "resolved", "when": "11:40 UTC", "text": "queue drained"})
        await play.settle()
        assert marks(play) == [(2, Milestone.MITIGATED, "11:30"), (3, Milestone.RESOLVED, "11:40")]


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("started 11:20 UTC", "detected 11:00 UTC", "Detected at 11:00 UTC"),
        ("detected 11:20 UTC", "acknowledged 11:00 UTC", "Acknowledged at 11:00 UTC"),
        ("detected 11:00 UTC", "started 11:20 UTC", "would be after detected at 11:00 UTC"),
        ("detected 11:00 UTC", "detected 11:20 UTC", "INC-1 already has detected at 11:00 UTC"),
        ("started 11:00 UTC", "started 10:20 UTC", "INC-1 already has impact started at 11:00 UTC"),
    ],
)
async def test_whatever_contradicts_is_asked(sqlite_url: str, first: str, second: str, sentence: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/incident {first}")
        assert sentence in await type_command(play, play.bo, f"/incident {second}")
        assert len(marks(play)) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ("started 02:00 UTC", "detected 11:00 UTC", "mitigated 11:30 UTC", "resolved 11:30 UTC"),
        ("resolved 11:30 UTC", "started 11:00 UTC", "detected 11:05 UTC", "mitigated 11:20 UTC"),
        ("mitigated", "resolved"),
        ("mitigated", "resolved", "reopen", "mitigated", "resolved"),
    ],
)
async def test_what_is_in_order_is_not_asked(sqlite_url: str, lines: tuple[str, ...]) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in lines:
            assert "Not recorded yet" not in await type_command(play, play.ana, f"/incident {line}")
        assert len(marks(play)) == len([line for line in lines if line != "reopen"])


async def twice(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.ana, "/incident detected 11:00 UTC alert fired")
    await type_command(play, play.ana, "/incident detected 11:20 UTC a customer called")


async def test_of_two_the_later_told_counts_where_its_author_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await twice(play)
        assert labels(having(play, play.ana, "milestone_keep")) == [
            "11:20 UTC counts", "Correct #2 to 11:20 UTC", "Keep #2, add an entry", "Change the time",
        ]  # fmt: skip
        await press(play, play.ana, "milestone_keep")
        assert [number for number, *_ in marks(play)] == [2, 3]
        message = last(play, play.ana)
        assert message.ephemeral_for == play.ana
        assert "#3, which counts instead of #2" in message.plain


async def test_the_first_is_moved_where_it_was_wrong(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await twice(play)
        await press(play, play.ana, "milestone_move")
        assert marks(play) == [(2, Milestone.DETECTED, "11:20")]
        assert "a customer called" in [entry.text for entry in play.case().entries]


async def test_the_second_is_an_entry_where_the_first_stays(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await twice(play)
        await press(play, play.ana, "milestone_note")
        assert marks(play) == [(2, Milestone.DETECTED, "11:00")]
        entry = play.case().entries[-2 if play.case().entries[-1].number == 1 else -1]
        assert (entry.text, entry.milestone, f"{entry.happened_at:%H:%M}") == ("a customer called", None, "11:20")


async def test_what_was_typed_twice_is_recorded_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await twice(play)
        await type_command(play, play.ana, "/incident detected 11:20 UTC a customer called")
        await press(play, play.ana, "milestone_keep")
        await press(play, play.ana, "milestone_keep")
        assert "That's already recorded, as #3." in last(play, play.ana).plain
        assert [number for number, *_ in marks(play)] == [2, 3]


async def test_the_form_asks_the_same(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        view = await window(play, play.bo, "incident_milestone")
        await play.slack.submit(play.bo, view, {"milestone": "resolved", "when": "11:10 UTC", "text": "queue drained"})
        await play.settle()
        assert "would be before mitigated at 11:30 UTC" in last(play, play.bo).plain
        assert len(marks(play)) == 1
        await press(play, play.bo, "milestone_keep")
        assert play.case().incident.status is Status.RESOLVED


async def test_words_that_no_button_holds_are_given_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        answer = await type_command(play, play.ana, f"/incident resolved 11:10 UTC {'queue drained ' * 200}")
        assert "It isn't recorded yet" in answer
        assert answer.count("queue drained") >= 199  # one of them is cut in two, for blocks hold only so much
        assert len(marks(play)) == 1


async def test_a_credential_goes_into_no_button(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await mitigated_at_1130(play)
        await type_command(play, play.ana, "/incident resolved 11:10 UTC rotated password=hunter2-of-demo")
        assert not [b for b in last(play, play.ana).buttons if b[1] == "milestone_keep"]
        assert len(marks(play)) == 1
