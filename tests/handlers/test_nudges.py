"""While an incident is open: one private line if no one leads, it has no severity, or nothing is recorded."""

from bot.domain.reminders import ReminderKind
from storage import reminders as reminders_store
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import TEAM, Play

NUDGED = {"AFTERWORD_NUDGES": "true"}


def read(play: Play, user: str) -> list[str]:
    """What the bot has written to a person alone, outside of channels."""
    return [message.plain for message in play.slack.messages(play.slack.dm(user), user=user)]


def states(play: Play, kind: ReminderKind) -> list[str]:
    incident = play.case().incident
    found = play.bot.store.read_now(lambda tx: reminders_store.list_latest(tx, TEAM, kind, str(incident.id), 9))
    return [str(reminder.state) for reminder in found]


async def test_after_a_quarter_of_an_hour_without_lead_and_severity_its_opener_reads_one_line(
    database_url: str,
) -> None:
    async with on_stage(database_url, environ=NUDGED) as play:
        await open_incident(play)
        await play.pass_time(minutes=14)
        assert read(play, play.ana) == []
        await play.pass_time(minutes=1)
        (line,) = read(play, play.ana)
        assert line.startswith("*INC-1* Checkout is failing has no lead and no severity yet, 15 min after it opened.")
        assert "`/incident lead @ana` and `/incident sev 2`" in line
        for _ in range(5):
            await play.pass_time(minutes=10)
        assert read(play, play.ana) == [line]
        assert [message for message in play.slack.messages(play.channel) if message.plain == line] == []


async def test_the_line_names_only_what_is_unset_and_goes_to_the_lead(database_url: str) -> None:
    async with on_stage(database_url, environ=NUDGED) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        await play.settle()
        before = read(play, play.bo)
        await play.pass_time(minutes=16)
        (line,) = read(play, play.bo)[len(before) :]
        assert "has no severity yet" in line
        assert "lead" not in line
        assert read(play, play.ana) == []


async def test_with_lead_and_severity_in_time_there_is_no_line(database_url: str) -> None:
    async with on_stage(database_url, environ=NUDGED) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead me")
        await type_command(play, play.ana, "/incident sev 3")
        await play.pass_time(minutes=20)
        await play.pass_time(hours=2)
        assert read(play, play.ana) == []


async def test_half_an_hour_without_an_entry_is_mentioned_once_a_silence(database_url: str) -> None:
    async with on_stage(database_url, environ=NUDGED) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead me")
        await type_command(play, play.ana, "/incident sev 2")
        await play.pass_time(minutes=29)
        assert read(play, play.ana) == []
        await play.pass_time(minutes=1)
        (line,) = read(play, play.ana)
        assert line.startswith("Nothing has been recorded in *INC-1* Checkout is failing (sev2) for 30 min.")
        await play.pass_time(minutes=40)
        assert len(read(play, play.ana)) == 1
        await type_command(play, play.bo, "/timeline failed over")
        await play.pass_time(minutes=31)
        assert len(read(play, play.ana)) == 2


async def test_a_minor_a_mitigated_or_a_resolved_incident_may_be_silent(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ=NUDGED) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead me")
        await type_command(play, play.ana, "/incident sev 3")
        await play.pass_time(minutes=31)
        await type_command(play, play.ana, "/incident sev 1")
        await type_command(play, play.ana, "/incident mitigated")
        await play.pass_time(minutes=31)
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(minutes=31)
        assert read(play, play.ana) == []


async def test_a_line_that_slack_did_not_take_is_not_sent_once_its_reason_is_gone(database_url: str) -> None:
    async with on_stage(database_url, environ=NUDGED, refused=["ratelimited"]) as play:
        await open_incident(play)
        play.slack.fail("conversations.open", "ratelimited", retry_after=1, times=9)
        play.slack.fail("chat.postMessage", "ratelimited", retry_after=1, times=1)
        await play.pass_time(minutes=16)
        assert states(play, ReminderKind.UNCLAIMED) == ["sent"]
        await type_command(play, play.bo, "/incident lead me")
        await type_command(play, play.bo, "/incident sev 2")
        for _ in range(4):
            await play.pass_time(minutes=1)
        assert [line for line in read(play, play.ana) if "has no lead" in line] == []


async def test_without_a_person_to_tell_nothing_is_sent(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ=NUDGED) as play:
        await open_incident(play)
        await play.slack.change_person(play.ana, deleted=True)
        await play.pass_time(minutes=16)
        assert states(play, ReminderKind.UNCLAIMED) == ["skipped"]


async def test_one_setting_turns_them_off(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_NUDGES": "false"}) as play:
        await open_incident(play)
        await play.pass_time(minutes=16)
        assert read(play, play.ana) == []
        assert states(play, ReminderKind.UNCLAIMED) == []
