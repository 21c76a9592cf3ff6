"""What leaves for a wider circle: a channel that others share, another channel, a private incident."""

import json
from typing import Any

import pytest

from bot.export import Exporter
from bot.incident import postmortem
from bot.rehearsal.seen import SeenView
from storage import cases
from tests.handlers.stage import last, on_stage, opened, press, told
from tests.playing import Play

KEY = "AKIA" + "IOSFODNN7" + "EXAMPLE"
LEAK = f"restarted from 10.1.2.3 with {KEY}, told jo@customer.example"


def places(play: Play) -> dict[str, Any]:
    return play.slack.workspace.channels


async def asked_to_share(play: Play, text: str, user: str = "") -> SeenView:
    """Somebody types it; the window that opens."""
    user = user or play.ana
    assert await told(play, user, f"/postmortem share {text}") == ""
    await play.settle()
    (view,) = play.slack.views(user)
    return view


async def refused(play: Play, text: str) -> str:
    """Ana types it; what she reads in place of a window."""
    await told(play, play.ana, f"/postmortem share {text}")
    await play.settle()
    assert play.slack.views(play.ana) == []
    return last(play, play.ana).plain


def audited(play: Play) -> list[tuple[str, str, str]]:
    incident = play.case().incident
    case = play.bot.store.read_now(lambda tx: cases.load(tx, incident, with_audit=True))
    document = postmortem.compile(case, play.clock.now())
    return [
        (line["who"], line["verb"], line["what"])
        for line in json.loads(Exporter().render(document, "json"))["audit"]
        if line["verb"].startswith("exports.")
    ]


async def leaked(play: Play) -> None:
    """An incident in whose timeline stands what should not leave."""
    await opened(play)
    await told(play, play.ana, f"/timeline {LEAK}")
    await play.settle()


# --- a channel that another organisation shares ------------------------------------------------------------------


async def decided(play: Play, text: str, choice: str) -> SeenView:
    """Ana exports, is asked, and chooses; the window that she read."""
    await told(play, play.ana, text)
    await play.settle()
    assert (play.slack.files, play.slack.workspace.canvases) == ([], {})
    await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
    (view,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, view, {"copy": choice})
    await play.settle()
    return view


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_shared_channel_is_asked_about_before_anything_is_posted(database_url: str, transport: str) -> None:
    async with on_stage(database_url, transport=transport) as play:
        places(play)[play.channel].shared = True
        await leaked(play)
        view = await decided(play, "/postmortem export", "masked")
        question = next(one for one in play.slack.messages(play.slack.dm(play.ana)) if one.buttons)
        assert "*Nothing was posted yet.* People of another organisation can read in #checkout" in question.plain
        assert "4 members, and everybody of this workspace." in view.plain
        assert "*It is shared with 1 other organisation* (T0ELSEWHERE)" in view.plain
        assert "*A masked copy masks 3 things:*" in view.plain
        assert "• `10.1.2.3`, an IP address in #2" in view.plain
        assert "• `jo@customer.example`, an e-mail address in #2" in view.plain
        assert "`AKIA…`" in view.plain
        assert KEY not in view.plain
        (file,) = play.slack.files
        assert file.channel == play.channel
        assert b"restarted from [masked] with [masked], told [masked]" in file.bytes
        assert ":lock: A masked copy: 3 things are masked, and files are left out." in last(play, play.bo).plain
        assert play.case().entries[-1].text == LEAK
        assert audited(play) == [("Ana Demo", "exports.post", f"a masked copy as markdown to {play.channel}")]


async def test_the_whole_may_be_posted_as_well_once_somebody_said_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].shared = True
        await leaked(play)
        await decided(play, "/postmortem export html", "whole")
        assert KEY.encode() in play.slack.files[0].bytes
        assert audited(play) == [("Ana Demo", "exports.post", f"the whole as html to {play.channel}")]


async def test_cancelled_nothing_is_posted(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].shared = True
        await leaked(play)
        await told(play, play.ana, "/postmortem export")
        await play.settle()
        await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
        await play.slack.close(play.ana, play.slack.views(play.ana)[0])
        await play.settle()
        assert (play.slack.files, audited(play)) == ([], [])


async def test_a_canvas_in_a_shared_channel_is_asked_about_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].shared = True
        await leaked(play)
        await decided(play, "/postmortem export canvas", "masked")
        (canvas,) = play.slack.workspace.canvases.values()
        assert "told [masked]" in canvas.markdown
        assert "jo@customer.example" not in canvas.markdown
        assert "is new.\n:lock: A masked copy: 3 things are masked" in last(play, play.bo).plain


async def test_an_open_invitation_counts_as_shared(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].invited = True
        await leaked(play)
        view = await decided(play, "/postmortem export", "masked")
        assert "*Another organisation is invited* (T0INVITED)" in view.plain


async def test_where_slack_does_not_say_who_reads_there_it_is_closed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        await leaked(play)
        play.slack.workspace.tokens[play.slack.bot_token].scopes.remove("channels:read")
        await told(play, play.ana, "/postmortem export")
        await play.settle()
        assert "Slack did not say who can read in #checkout" in last(play, play.ana, play.slack.dm(play.ana)).plain
        said = await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
        assert "In there, `/postmortem share #its-name` asks the same." in said.plain
        view = await asked_to_share(play, "#checkout")
        assert "Slack did not say. Count on everybody." in view.plain
        assert play.slack.files == []
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert b"told [masked]" in play.slack.files[0].bytes


async def test_a_window_for_which_slack_is_not_reached_is_a_sentence(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["ratelimited"]) as play:
        play.slack.channel("leaders", [play.ana])
        await leaked(play)
        play.slack.fail("conversations.info", "ratelimited", times=3)
        assert "Slack does not say just now who can read there" in await refused(play, "#leaders")


# --- another channel ---------------------------------------------------------------------------------------------


async def test_a_public_incident_goes_whole_into_another_channel_once_confirmed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        leaders = play.slack.channel("leaders", [play.ana])
        await leaked(play)
        view = await asked_to_share(play, "#leaders html")
        assert "The draft of *INC-1* Checkout is failing\nas HTML, into #leaders\n" in view.plain
        assert "2 members, and everybody of this workspace." in view.plain
        assert "masked" not in view.plain
        assert play.slack.files == []
        await play.slack.submit(play.ana, view)
        await play.settle()
        (file,) = play.slack.files
        assert (file.channel, file.thread_ts) == (leaders, "")
        assert KEY.encode() in file.bytes
        assert "The draft of INC-1 as HTML is on its way into #leaders." in last(play, play.ana).plain
        assert "Draft of the postmortem of *INC-1*" in last(play, play.ana, leaders).plain
        assert audited(play) == [("Ana Demo", "exports.post", f"the whole as html to {leaders}")]


async def test_a_private_incident_leaves_only_masked_and_everything_masked_is_listed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_MASK_PATTERNS": "acme-[0-9]+"}) as play:
        places(play)[play.channel].private = True
        leaders = play.slack.channel("leaders", [play.ana])
        await opened(play, "acme-77 is failing")
        await told(play, play.ana, f"/timeline {LEAK}")
        view = await asked_to_share(play, "#leaders")
        assert "INC-1 is private: only a masked copy leaves its channel" in view.plain
        assert "*A masked copy masks 5 things:*" in view.plain
        assert "• `ac…`, what your own rule names in the title, #1" in view.plain
        assert "What is posted?" not in view.plain
        await play.slack.submit(play.ana, view)
        await play.settle()
        (file,) = play.slack.files
        assert file.channel == leaders
        assert not [secret for secret in (KEY, "jo@", "10.1.2.3", "acme-77") if secret.encode() in file.bytes]
        assert file.name == "INC-1-masked-is-failing.md"
        said = last(play, play.ana, leaders).plain
        assert "Draft of the postmortem of *INC-1* [masked] is failing" in said
        assert play.case().incident.title == "acme-77 is failing"
        assert audited(play) == [("Ana Demo", "exports.post", f"a masked copy as markdown to {leaders}")]


async def test_in_its_own_private_channel_it_stays_whole(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].private = True
        await leaked(play)
        await told(play, play.ana, "/postmortem export")
        await play.settle()
        assert KEY.encode() in play.slack.files[0].bytes


async def test_a_channel_shared_with_others_offers_both_for_a_public_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        vendors = play.slack.channel("vendors", [play.ana], shared=True)
        await leaked(play)
        view = await asked_to_share(play, "#vendors json")
        assert "*It is shared with 1 other organisation*" in view.plain
        await play.slack.submit(play.ana, view)  # what is chosen already is the masked copy
        await play.settle()
        (file,) = play.slack.files
        assert file.channel == vendors
        assert KEY.encode() not in file.bytes


async def test_one_that_becomes_shared_after_the_confirmation_is_asked_about_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        leaders = play.slack.channel("leaders", [play.ana])
        await leaked(play)
        view = await asked_to_share(play, "#leaders")
        places(play)[leaders].shared = True
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert play.slack.files == []
        await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
        (again,) = play.slack.views(play.ana)
        assert "into #leaders" in again.plain
        await play.slack.submit(play.ana, again, {"copy": "whole"})
        await play.settle()
        assert [file.channel for file in play.slack.files] == [leaders]


async def test_sent_twice_it_is_posted_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        play.slack.channel("leaders", [play.ana])
        await leaked(play)
        answer = await play.slack.submit(play.ana, await asked_to_share(play, "#leaders"))
        await play.slack.deliver_again(answer)
        await play.settle()
        assert len(play.slack.files) == 1


async def test_where_it_cannot_go_a_sentence_says_what_to_do(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["channel_not_found"]) as play:
        play.slack.channel("elsewhere", [play.ana], with_bot=False)
        play.slack.channel("secret", [play.ana], private=True, with_bot=False)
        play.slack.channel("attic", [play.ana], archived=True)
        play.slack.channel("theirs", [play.bo], private=True)
        await leaked(play)
        assert "I am not in that channel. Write `/invite @afterword` there" in await refused(play, "#elsewhere")
        assert "I am not in that channel." in await refused(play, "#secret")
        assert "That channel is archived" in await refused(play, "#attic")
        assert "You are not in that channel." in await refused(play, "#theirs")
        assert "Name the channel" in await refused(play, "")
        assert "I do not know the channel leaders" in await refused(play, "leaders")
        assert "Did you mean `html`?" in await refused(play, "#attic htm")
        assert (play.slack.files, audited(play)) == ([], [])


async def test_somebody_outside_the_channel_cannot_decide_for_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].private = True
        places(play)[play.channel].shared = True
        await leaked(play)
        await told(play, play.chandra, "/postmortem export")
        await play.settle()
        places(play)[play.channel].members.discard(play.chandra)
        said = await press(play, play.chandra, "exports_decide", channel=play.slack.dm(play.chandra))
        assert "Slack does not show me that you are in that incident's channel." in said.plain
        assert play.slack.views(play.chandra) == []
