"""Correcting the entry that says where the incident stands corrects the incident, and its reminders with it."""

from datetime import UTC, datetime, timedelta

from bot.domain.records import PostmortemStatus, Status
from bot.domain.reminders import is_for_the_channel
from storage import reminders as reminders_store
from tests.support.interactions import labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play


def pending(play: Play) -> list[datetime]:
    """When the reminders still to come are due, but for the weekly ones."""
    incident = play.case().incident
    found = play.bot.store.read_now(lambda tx: reminders_store.list_by_incident(tx, incident.id))
    return [reminder.due_at for reminder in found if reminder.state == "pending" and is_for_the_channel(reminder.slot)]


def at(clock: str, day: int = 23) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day} {clock}").replace(tzinfo=UTC)


async def count_reminders(play: Play) -> int:
    """How many reminders the channel has had."""
    return sum("*INC-1* postmortem" in message.plain for message in play.slack.messages(play.channel))


async def test_taking_the_resolution_back_reopens_the_incident_and_withdraws_its_reminders(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        assert pending(play) == [at("12:30", 24), at("12:30", 25)]
        answer = await type_command(play, play.ana, "/timeline undo")
        assert "INC-1 is open again" in answer
        assert "Its postmortem reminders are canceled" in answer
        assert last(play, play.bo).plain == answer  # everyone sees it
        incident = play.case().incident
        assert (incident.status, incident.resolved_at, incident.resolved_by) == (Status.OPEN, None, None)
        assert pending(play) == []
        await play.pass_time(hours=50)
        assert await count_reminders(play) == 0


async def test_a_resolution_taken_back_leaves_what_was_mitigated_mitigated(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident mitigated")
        await type_command(play, play.ana, "/incident resolved")
        assert "INC-1 is mitigated again" in await type_command(play, play.ana, "/timeline delete 3")
        assert play.case().incident.status is Status.MITIGATED


async def test_taking_the_mitigation_back_puts_the_incident_back_to_open(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident mitigated 13:10")
        assert play.case().incident.status is Status.MITIGATED
        assert "INC-1 is open again" in await type_command(play, play.ana, "/timeline delete 2")
        assert play.case().incident.status is Status.OPEN


async def test_a_mitigation_taken_back_after_the_resolution_changes_nothing_else(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident mitigated")
        await type_command(play, play.ana, "/incident resolved")
        assert "again" not in (await type_command(play, play.ana, "/timeline delete 2")).splitlines()[0]
        assert last(play, play.ana).ephemeral_for == play.ana
        assert play.case().incident.status is Status.RESOLVED
        assert len(pending(play)) == 2


async def test_bringing_the_resolution_back_resolves_again_and_reminds_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved 13:10")
        await type_command(play, play.ana, "/timeline delete 2")
        await play.settle()
        back = await press(play, play.bo, "timeline_restore")
        assert "INC-1 is resolved again" in back.plain
        incident = play.case().incident
        assert (incident.status, incident.resolved_at, incident.resolved_by) == (
            Status.RESOLVED,
            at("12:10"),
            play.ana,
        )
        assert pending(play) == [at("12:10", 24), at("12:10", 25)]
        await play.pass_time(hours=24)
        assert await count_reminders(play) == 1


async def test_correcting_when_it_was_resolved_moves_the_reminders(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        answer = await type_command(play, play.ana, "/timeline edit 2 12:05")
        assert "Its upcoming reminders moved with it" in answer
        assert play.case().incident.resolved_at == at("11:05")
        assert pending(play) == [at("11:05", 24), at("11:05", 25)]
        await type_command(play, play.ana, "/timeline edit 2 2026-11-23 12:30 UTC")
        assert pending(play) == [at("12:30", 24), at("12:30", 25)]  # also back to a time that it had before


async def test_a_reminder_that_went_out_does_not_go_out_again_for_a_corrected_time(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(hours=25)
        assert await count_reminders(play) == 1
        await type_command(play, play.ana, "/timeline edit 2 2026-11-23 12:15 UTC")
        await type_command(play, play.ana, "/timeline edit 2 2026-11-23 12:20 UTC")
        assert pending(play) == [at("12:20", 25)]
        await type_command(play, play.ana, "/timeline delete 2")
        await play.settle()
        await press(play, play.ana, "timeline_restore")
        assert pending(play) == [at("12:20", 25)]
        await play.pass_time(hours=30)
        assert await count_reminders(play) == 2


async def test_rewording_the_resolution_leaves_its_time_and_reminders(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        answer = await type_command(play, play.ana, "/timeline edit 2 rolled back, errors gone")
        assert "reminders" not in answer
        assert labels(last(play, play.ana)) == ["Edit", "History", "Undo"]
        assert len(pending(play)) == 2


async def test_taking_a_reopening_back_means_it_was_over_after_all(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved 13:10")
        await type_command(play, play.ana, "/incident reopen wrong channel")
        assert pending(play) == []
        assert "INC-1 is resolved again" in await type_command(play, play.ana, "/timeline undo")
        assert play.case().incident.resolved_at == at("12:10")
        assert len(pending(play)) == 2


async def test_a_published_postmortem_is_open_again_once_the_resolution_is_taken_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem waive a drill, nothing broke")
        await type_command(play, play.ana, "/timeline delete 2")
        incident = play.case().incident
        assert (incident.status, incident.postmortem_status) == (Status.OPEN, PostmortemStatus.OPEN)
        assert incident.postmortem_reason == ""


async def test_an_incident_cannot_be_open_again_beside_the_next_one(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/timeline edit 2")
        receipt = last(play, play.ana)
        await open_incident(play, "Checkout fails again")
        await play.slack.click(play.ana, receipt, "timeline_undo")
        await play.settle()
        assert "INC-2 is open in its channel now" in last(play, play.ana).plain
        assert play.case().incident.key == "INC-2"


async def test_resolved_again_at_the_same_minute_is_reminded_of_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved 13:10")
        await type_command(play, play.ana, "/incident reopen")
        await type_command(play, play.ana, "/incident resolved 13:10")
        assert pending(play) == [at("12:10") + timedelta(hours=24), at("12:10") + timedelta(hours=48)]


async def test_a_line_about_severity_or_lead_is_only_a_line(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident sev 2")
        assert "INC-1 keeps its severity. To change it: `/incident sev 3`" in await type_command(
            play, play.ana, "/timeline undo"
        )
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        assert "INC-1 keeps its lead" in await type_command(play, play.ana, "/timeline undo")
        assert "INC-1 itself is unchanged." in await type_command(play, play.ana, "/timeline delete 1")
        incident = play.case().incident
        assert (incident.severity, incident.lead, incident.status) == (2, play.bo, Status.OPEN)
