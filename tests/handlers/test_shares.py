"""`/postmortem share`: a draft for another channel, whole or masked, and what is said before it leaves."""

from tests.support.interactions import last, on_stage, open_incident, press, type_command
from tests.support.shares import KEY, LEAK, asked_to_share, audit_rows, leak_secret, places, read_refusal


async def test_a_public_incident_goes_whole_into_another_channel_once_confirmed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        leaders = play.slack.channel("leaders", [play.ana])
        await leak_secret(play)
        view = await asked_to_share(play, "#leaders html")
        assert "The draft of *INC-1* Checkout is failing\nas HTML, to #leaders\n" in view.plain
        assert "2 members, and everyone in this workspace." in view.plain
        assert "masked" not in view.plain
        assert play.slack.files == []
        await play.slack.submit(play.ana, view)
        await play.settle()
        (file,) = play.slack.files
        assert (file.channel, file.thread_ts) == (leaders, "")
        assert KEY.encode() in file.bytes
        assert "Posting the draft of INC-1 to #leaders as HTML." in last(play, play.ana).plain
        assert "*INC-1 Checkout is failing* – postmortem draft" in last(play, play.ana, leaders).plain
        assert audit_rows(play) == [("Ana Demo", "exports.post", f"the whole as html to {leaders}")]


async def test_a_private_incident_leaves_only_masked_and_everything_masked_is_listed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_MASK_PATTERNS": "acme-[0-9]+"}) as play:
        places(play)[play.channel].private = True
        leaders = play.slack.channel("leaders", [play.ana])
        await open_incident(play, "acme-77 is failing")
        await type_command(play, play.ana, f"/timeline {LEAK}")
        view = await asked_to_share(play, "#leaders")
        assert "INC-1 is private, so only a masked copy leaves its channel" in view.plain
        assert "*A masked copy masks 5 things:*" in view.plain
        assert "• `ac…`, a match of your own rule in the title, #1" in view.plain
        assert "What is posted?" not in view.plain
        assert view.submit == "Post the masked copy"
        await play.slack.submit(play.ana, view)
        await play.settle()
        (file,) = play.slack.files
        assert file.channel == leaders
        assert not [secret for secret in (KEY, "jo@", "10.1.2.3", "acme-77") if secret.encode() in file.bytes]
        assert file.name == "INC-1-masked-is-failing.md"
        message = last(play, play.ana, leaders).plain
        assert "*INC-1 [masked] is failing* – postmortem draft" in message
        assert play.case().incident.title == "acme-77 is failing"
        assert audit_rows(play) == [("Ana Demo", "exports.post", f"a masked copy as markdown to {leaders}")]


async def test_what_was_taken_back_does_not_leave_in_a_masked_copy(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].private = True
        play.slack.channel("leaders", [play.ana])
        await open_incident(play)
        for text in (
            "/timeline the first wording",
            "/timeline a slip of the tongue",
            "/timeline edit 2 the second wording",
            "/timeline delete 3",
            "/why because of a first guess",
            "/why edit 1 because of a second guess",
        ):
            await type_command(play, play.ana, text)
        await play.slack.submit(play.ana, await asked_to_share(play, "#leaders json"))
        await play.settle()
        (file,) = play.slack.files
        left = file.bytes.decode()
        assert "the second wording" in left
        for gone in ("the first wording", "slip of the tongue", "a first guess", "timeline.edit"):
            assert gone not in left
        await type_command(play, play.ana, "/postmortem export json")
        await play.settle()
        assert "the first wording" in play.slack.files[-1].bytes.decode()  # inside it is whole


async def test_in_its_own_private_channel_it_stays_whole(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].private = True
        await leak_secret(play)
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        assert KEY.encode() in play.slack.files[0].bytes


async def test_a_channel_shared_with_others_offers_both_for_a_public_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        vendors = play.slack.channel("vendors", [play.ana], shared=True)
        await leak_secret(play)
        view = await asked_to_share(play, "#vendors json")
        assert "*It is shared with 1 other organization*" in view.plain
        await play.slack.submit(play.ana, view)  # what is chosen already is the masked copy
        await play.settle()
        (file,) = play.slack.files
        assert file.channel == vendors
        assert KEY.encode() not in file.bytes


async def test_one_that_becomes_shared_after_the_confirmation_is_asked_about_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        leaders = play.slack.channel("leaders", [play.ana])
        await leak_secret(play)
        view = await asked_to_share(play, "#leaders")
        places(play)[leaders].shared = True
        await play.slack.submit(play.ana, view)
        await play.settle()
        assert play.slack.files == []
        await press(play, play.ana, "exports_decide", channel=play.slack.dm(play.ana))
        (again,) = play.slack.views(play.ana)
        assert "to #leaders" in again.plain
        await play.slack.submit(play.ana, again, {"copy": "whole"})
        await play.settle()
        assert [file.channel for file in play.slack.files] == [leaders]


async def test_sent_twice_it_is_posted_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        play.slack.channel("leaders", [play.ana])
        await leak_secret(play)
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
        await leak_secret(play)
        assert "I'm not in that channel. Invite me there, then share again: `/invite @afterword`" in await read_refusal(
            play, "#elsewhere"
        )
        assert "I'm not in that channel." in await read_refusal(play, "#secret")
        assert "That channel is archived" in await read_refusal(play, "#attic")
        assert "You're not in that channel." in await read_refusal(play, "#theirs")
        assert "Share it where?" in await read_refusal(play, "")
        assert "I don't know the channel leaders. Type # and pick it" in await read_refusal(play, "leaders")
        assert "Did you mean `/postmortem share #attic html`?" in await read_refusal(play, "#attic htm")
        assert (play.slack.files, audit_rows(play)) == ([], [])


async def test_somebody_outside_the_channel_cannot_decide_for_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        places(play)[play.channel].private = True
        places(play)[play.channel].shared = True
        await leak_secret(play)
        await type_command(play, play.chandra, "/postmortem export")
        await play.settle()
        places(play)[play.channel].members.discard(play.chandra)
        message = await press(play, play.chandra, "exports_decide", channel=play.slack.dm(play.chandra))
        assert "That's in a channel that you don't have access to" in message.plain
        assert play.slack.views(play.chandra) == []
