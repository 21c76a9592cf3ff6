"""An action is handed over to a person or to a user group, where the workspace's groups are known."""

from bot.domain.records import ActionStatus
from bot.rehearsal.screen import ShownView, list_elements
from bot.slack.views.actions import Groups, owner_fields
from tests.handlers.test_action_reminders import owing
from tests.slack.test_directory import GROUP, calls, with_group
from tests.support.interactions import on_stage, open_incident, press, type_command
from tests.support.play import NOON, Play


async def handing_over(play: Play) -> ShownView:
    """[Hand over] in Bo's DM about an overdue action; the form."""
    room = await owing(play)
    await press(play, play.bo, "action_hand_over", channel=room)
    (view,) = play.slack.views(play.bo)
    return view


def actions_of(view: ShownView) -> list[str]:
    return [element["action_id"] for _, element in list_elements(view.blocks)]


async def test_an_action_is_handed_over_to_a_group(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        view = await handing_over(play)
        assert actions_of(view) == ["owner", "group"]
        await play.slack.submit(play.bo, view, {"group": "@oncall"})
        await play.settle()
        (action,) = play.case().actions
        assert action.owner == GROUP
        assert action.overdue_at is not None
        assert action.overdue_at.hour == 5  # midnight in New York, where Bo lives, who named it
        assert "add a load test\n@oncall" in await type_command(play, play.ana, "/action list")
        await type_command(play, play.ana, "/action 1")
        await press(play, play.ana, "action_done")
        assert play.case().actions[0].status is ActionStatus.DONE


async def test_a_group_that_is_given_an_action_gets_neither_a_dm_nor_a_post(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        view = await handing_over(play)
        posts, dms = len(play.slack.messages(play.channel)), len(play.slack.messages(play.slack.dm(play.bo)))
        await play.slack.submit(play.bo, view, {"group": "@oncall"})
        await type_command(play, play.ana, "/action done 1")
        await type_command(play, play.ana, "/action reopen 1")
        await play.settle()
        assert play.case().actions[0].owner == GROUP
        assert len(play.slack.messages(play.channel)) == posts
        assert len(play.slack.messages(play.slack.dm(play.bo))) == dms + 1  # what Bo did there is answered there


async def test_without_the_scope_only_people_are_offered_as_before(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["missing_scope"]) as play:
        play.slack.workspace.tokens[play.slack.bot_token].scopes.discard("usergroups:read")
        view = await handing_over(play)
        assert actions_of(view) == ["owner"]
        await play.slack.submit(play.bo, view, {"owner": play.chandra})
        assert play.case().actions[0].owner == play.chandra


async def test_nobody_and_both_are_refused_at_their_fields(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        view = await handing_over(play)
        assert (await play.slack.submit(play.bo, view, {})).errors == {"owner": "Pick the new owner."}
        both = await play.slack.submit(play.bo, view, {"owner": play.ana, "group": "@oncall"})
        assert both.errors == {"group": "Pick a person or a group, not both."}
        assert play.case().actions[0].owner == play.bo


async def test_a_group_that_is_no_longer_in_use_is_not_offered_and_the_list_is_asked_for_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        play.slack.workspace.usergroups["S0OLD"] = []
        play.slack.workspace.usergroups_disabled.add("S0OLD")
        names = play.bot.slack.directory.names
        assert await names.groups("T0REHEARSE") == ((GROUP, "oncall"),)
        assert await names.groups("T0REHEARSE") == ((GROUP, "oncall"),)
        assert calls(play, "usergroups.list") == 1


async def test_the_form_that_completes_an_action_has_its_group_and_saves_it_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test")
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "finding_action")
        (view,) = play.slack.views(play.ana)
        await play.slack.submit(play.ana, view, {"group": "@oncall", "due": f"{NOON:%Y-%m}-27"})
        assert play.case().actions[0].owner == GROUP
        await type_command(play, play.ana, "/postmortem")
        await press(play, play.ana, "finding_action")
        (view,) = play.slack.views(play.ana)
        await play.slack.submit(play.ana, view, {"link": "https://tracker.example.com/OPS-1"})
        assert play.case().actions[0].owner == GROUP
        assert play.case().actions[0].link == "https://tracker.example.com/OPS-1"


async def test_an_action_made_of_a_why_may_be_a_groups(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        with_group(play)
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/why because nobody tests the pool")
        await type_command(play, play.ana, "/why root")
        await play.settle()
        await press(play, play.ana, "why_action")
        (view,) = play.slack.views(play.ana)
        await play.slack.submit(play.ana, view, {"text": "Test the pool", "group": "@oncall"})
        await play.settle()
        assert (play.case().actions[0].owner, play.case().whys[0].actions) == (GROUP, (1,))
        assert "\n@oncall · no due date" in await type_command(play, play.ana, "/action list")


def test_more_groups_than_one_menu_holds_are_grouped_by_their_handles() -> None:
    groups: Groups = tuple((f"S{number:04}", f"team-{number:04}") for number in range(250, 0, -1))
    _, block = owner_fields("Who?", groups, "S0123")
    menu = block["element"]
    sizes = [(page["label"]["text"], len(page["options"])) for page in menu["option_groups"]]
    assert sizes == [
        ("@team-0001 to @team-0100", 100),
        ("@team-0101 to @team-0200", 100),
        ("@team-0201 to @team-0250", 50),
    ]
    assert menu["initial_option"]["value"] == "S0123"
