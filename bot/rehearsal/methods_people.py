"""auth.*, apps.*, users.*, usergroups.*: who is asking, and who is who."""

from bot.rehearsal.calling import Args, Method, page
from bot.rehearsal.records import ApiRefusal, Json
from bot.rehearsal.shapes import user_json
from bot.rehearsal.workspace import Workspace


def auth_test(workspace: Workspace, _args: Args) -> Json:
    """auth.test of the bot's token."""
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.domain,
        "user": workspace.users[workspace.bot_user_id].name,
        "team_id": workspace.team,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def bots_info(workspace: Workspace, args: Args) -> Json:
    """bots.info of the bot itself."""
    if args.text("bot", workspace.bot_id) != workspace.bot_id:
        raise ApiRefusal("bot_not_found")
    bot = {"id": workspace.bot_id, "app_id": workspace.app_id, "user_id": workspace.bot_user_id, "deleted": False}
    return {"bot": bot | {"name": workspace.users[workspace.bot_user_id].name}}


def users_info(workspace: Workspace, args: Args) -> Json:
    """users.info."""
    person = workspace.person(args.text("user"))
    return {"user": user_json(workspace, person, with_locale=args.flag("include_locale"))}


def users_list(workspace: Workspace, args: Args) -> Json:
    """users.list, in pages."""
    rows, cursor = page(list(workspace.users.values()), args)
    shown = [user_json(workspace, user, with_locale=args.flag("include_locale")) for user in rows]
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def by_email(workspace: Workspace, args: Args) -> Json:
    """users.lookupByEmail; people who are gone are not found."""
    wanted = args.need("email").lower()
    for user in workspace.users.values():
        if user.email.lower() == wanted and not user.deleted:
            return {"user": user_json(workspace, user)}
    raise ApiRefusal("users_not_found")


def group_members(workspace: Workspace, args: Args) -> Json:
    """usergroups.users.list."""
    found = workspace.usergroups.get(args.need("usergroup"))
    if found is None:
        raise ApiRefusal("no_such_subteam")
    return {"users": list(found)}


def groups(workspace: Workspace, _args: Args) -> Json:
    """usergroups.list; a group's handle is its id in small letters unless `usergroup_handles` names another."""
    handles = workspace.usergroup_handles
    return {
        "usergroups": [
            {
                "id": group,
                "team_id": workspace.team,
                "handle": handles.get(group, group.lower()),
                "name": group,
                "date_delete": int(group in workspace.usergroups_disabled),
            }
            for group in workspace.usergroups
        ]
    }


METHODS = {
    "auth.test": Method(auth_test),
    "bots.info": Method(bots_info, "users:read"),
    "users.info": Method(users_info, "users:read"),
    "users.list": Method(users_list, "users:read"),
    "users.lookupByEmail": Method(by_email, "users:read.email"),
    "usergroups.list": Method(groups, "usergroups:read"),
    "usergroups.users.list": Method(group_members, "usergroups:read"),
}
