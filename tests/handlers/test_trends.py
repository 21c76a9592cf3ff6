"""`/incident trends`: one screen of figures, of public channels alone, and the incidents behind each."""

import json
import re

import pytest

from bot.rehearsal.workspace import StandInChannel
from tests.support.interactions import count_phone_lines, having, last, on_stage, type_command
from tests.support.play import TEAM, Play
from tests.support.twenty_incidents import NOW, PRIVATE, ROWS, store_rows

AUTUMN = "/incident trends 2026-09..2026-11"
ABSENT = ("channel_not_found", "user_not_found")
"""Their channels are not in the workspace of the play, so what is due there is refused."""
PHONE_LINES = 34
"""What a phone shows of a message without scrolling, at Slack's usual size."""


def store_incidents(play: Play) -> None:
    """The twenty incidents, each in a channel of its own, which Slack has too."""
    channels = play.slack.workspace.channels
    for row in ROWS:
        members, is_private = channels[play.channel].members, row.channel == PRIVATE
        channels[row.channel] = StandInChannel(row.channel, f"inc-{row.number}", set(members), private=is_private)
    play.bot.store.write_now(lambda tx: store_rows(tx, TEAM))


async def show(play: Play, topic: str, user: str = "") -> str:
    """Press [Show these] beside a topic of the newest answer; what is shown."""
    user = user or play.ana
    shown = having(play, user, "numbers_show")
    value = next(value for _, _, value in shown.buttons if value and json.loads(value).get("topic") == topic)
    answer = await play.slack.click(user, shown, "numbers_show", value)
    assert answer.ok
    await play.settle()
    return last(play, user).text


async def test_the_figures_are_those_counted_by_hand(database_url: str) -> None:
    async with on_stage(database_url, now=NOW, refused=ABSENT) as play:
        store_incidents(play)
        answer = await type_command(play, play.ana, AUTUMN)
        for line in (
            "*Trends* · Sep to Nov 2026",
            "17 incidents resolved in public channels",
            "6 of 14 published within 48 hours, 9 of 13 within a week",
            "4 not published · 2 waived",
            "7 of 11 done by their date",
            "5 open, 2 of them overdue · half for over 8 weeks",
            "Detected 6 min (3 min to 9 min, n=14)",
            "Mitigated 30 min (15 min to 45 min, n=13)",
            "Resolved 1 h 10 min (25 min to 2 h 15 min, n=15)",
            "Services: checkout 6×, search 4×, login 3×",
            "Tags: database 4×, deploy 3×",
            "Same cause: INC-2 = INC-11 = INC-13, INC-9 = INC-16",
            "Impact started 2×, Detected 2×, Acknowledged 4×, Mitigated 3×",
        ):
            assert line in answer
        shown = last(play, play.ana)
        assert count_phone_lines(shown) <= PHONE_LINES
        assert not re.search(r"\b(mean|average|U1|Ana)\b", answer)


async def test_each_figure_shows_the_incidents_behind_it(database_url: str) -> None:
    async with on_stage(database_url, now=NOW, refused=ABSENT) as play:
        store_incidents(play)
        await type_command(play, play.ana, f"{AUTUMN} service checkout")
        text = await show(play, "postmortems")
        assert "*Postmortems* · Sep to Nov 2026 · checkout · 6 incidents" in text
        assert re.findall(r"INC-\d+", text) == ["INC-18", "INC-13", "INC-11", "INC-8", "INC-3", "INC-2"]
        assert "Outage 11 · #C11 · published after 4 d 4 h" in text.replace("<#C11>", "#C11")
        assert "not published, resolved yesterday" in text
        await type_command(play, play.ana, f"{AUTUMN} service checkout")
        text = await show(play, "actions")
        assert "1 done in time, 1 overdue" in text  # INC-13
        assert "2 done in time, 1 open" in text  # INC-8
        await type_command(play, play.ana, f"{AUTUMN} sev 4")
        text = await show(play, "milestones")
        assert "without “Impact started”, “Detected”, “Acknowledged”, “Mitigated”" in text  # INC-12
        await type_command(play, play.ana, AUTUMN)
        text = await show(play, "returns")
        assert "checkout, deploy, same cause as INC-11" in text  # INC-13
        await type_command(play, play.ana, f"{AUTUMN} tag deploy")
        text = await show(play, "times")
        assert "detected after 7 min, mitigated after 1 h, resolved after 3 h" in text  # INC-13


async def test_a_private_incident_counts_for_no_one_in_slack(database_url: str) -> None:
    async with on_stage(database_url, now=NOW, refused=ABSENT) as play:
        store_incidents(play)
        answer = await type_command(play, play.ana, "/incident trends last month sev 1")
        assert "1 incident resolved in public channels" in answer  # INC-13, not INC-19
        assert "secret" not in await type_command(play, play.ana, AUTUMN)
        assert "No incident was resolved in public channels in this period: Nov 2026, secret" in await type_command(
            play, play.ana, "/incident trends last month tag secret"
        )


async def test_few_values_are_named_and_no_middle_is_claimed(database_url: str) -> None:
    async with on_stage(database_url, now=NOW, refused=ABSENT) as play:
        store_incidents(play)
        answer = await type_command(play, play.ana, f"{AUTUMN} tag deploy")
        assert "Detected 3 min, 6 min, 7 min (n=3)" in answer
        assert "A few incidents make no trend." in answer


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/incident trends", "No incident was resolved in public channels in this period: Q4 2026 so far."),
        ("/incident trends checkout", "I couldn't read “checkout” as a period."),
        ("/incident trends service", "Which service? Try `quarter service checkout`."),
        ("/incident trends sev 9", "Severities go from 1 (worst) to 4."),
        ("/incident stats", "No incident was resolved"),
    ],
)
async def test_a_line_without_figures_is_a_sentence(database_url: str, line: str, sentence: str) -> None:
    async with on_stage(database_url, now=NOW, refused=ABSENT) as play:
        assert sentence in await type_command(play, play.ana, line)


async def test_titles_and_names_that_are_markup_stay_text(database_url: str) -> None:
    async with on_stage(database_url, now=NOW, refused=ABSENT) as play:
        await type_command(play, play.ana, "/incident trends last month service <!channel> *b* <script>")
        shown = json.dumps(last(play, play.ana).blocks)
        assert "&lt;!channel&gt;" in shown
        assert "<!channel>" not in shown


async def test_read_leads_to_the_page_of_the_same_figures(database_url: str) -> None:
    settings = {
        "AFTERWORD_URL": "http://127.0.0.1:9",
        "SLACK_CLIENT_ID": "123.456",
        "SLACK_CLIENT_SECRET": "client-" + "demo",
        "AFTERWORD_SESSION_KEY": "session-" + "demo" * 8,
    }
    async with on_stage(database_url, now=NOW, refused=ABSENT, environ=settings) as play:
        store_incidents(play)
        await type_command(play, play.ana, f"{AUTUMN} service checkout")
        shown = json.dumps(last(play, play.ana).blocks)
        assert "http://127.0.0.1:9/library/trends?period=2026-09..2026-11&service=checkout" in shown
