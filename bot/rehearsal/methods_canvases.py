"""canvases.* and conversations.canvases.create, with the refusals that Slack documents for them.

What a canvas holds is Markdown, which Slack writes in its own hand when it is asked for it: with other signs for
lists, and blank lines of its own.
"""

import re

from bot.rehearsal import canvas_sections
from bot.rehearsal.calling import Args, Method
from bot.rehearsal.records import ApiRefusal, Canvas, Channel, Json
from bot.rehearsal.workspace import Workspace

MOST_MARKDOWN = 1024 * 1024
_SECTION_ID = re.compile(r"temp:C:(\w+)\.(\d+)\.(\d+)")
_BIG_HEADING = re.compile(r"^(#{1,3} .+)$", re.MULTILINE)
_DEEP_HEADING = re.compile(r"^#{4,6} ", re.MULTILINE)
_SIGN = re.compile(r"^( *)- (?!\[[ x]\] )", re.MULTILINE)
_LEVELS = frozenset({"read", "write", "owner"})


def create_in_channel(workspace: Workspace, args: Args) -> Json:
    """conversations.canvases.create: the one canvas that a channel calls its own."""
    place, markdown = _open_place(workspace, args.need("channel_id")), _markdown(args)
    if workspace.plan == "free" and _tabs(workspace, place):
        raise ApiRefusal("free_team_canvas_tab_already_exists")
    if any(canvas.is_channels for canvas in _tabs(workspace, place)):
        raise ApiRefusal("channel_canvas_already_exists")
    return _made(workspace, Canvas("", args.text("title"), markdown, place.id, is_channels=True))


def create(workspace: Workspace, args: Args) -> Json:
    """canvases.create: with a channel as a tab of it, which its members may write in; else the app's alone."""
    _require_canvases(workspace)
    if not args.text("channel_id"):
        if workspace.plan == "free":
            raise ApiRefusal("free_teams_cannot_create_non_tabbed_canvases")
        return _made(workspace, Canvas("", args.text("title"), _markdown(args)))
    place, markdown = _open_place(workspace, args.text("channel_id")), _markdown(args)
    if workspace.plan == "free" and _tabs(workspace, place):
        raise ApiRefusal("free_team_canvas_tab_already_exists")
    return _made(workspace, Canvas("", args.text("title"), markdown, place.id))


def edit(workspace: Workspace, args: Args) -> Json:
    """canvases.edit: one change a call; a `replace` that names no section replaces everything."""
    canvas = _found(workspace, args)
    if workspace.plan == "free" and not canvas.channel:
        raise ApiRefusal("free_teams_cannot_edit_standalone_canvases")
    changes = args.items("changes")
    if len(changes) != 1:
        raise ApiRefusal("invalid_arguments")
    change = changes[0]
    if change.get("operation") == "rename":
        canvas.title = str((change.get("title_content") or {}).get("markdown", ""))
        return {}
    content = _checked(str((change.get("document_content") or {}).get("markdown", "")))
    canvas.markdown = _edited(canvas, str(change.get("operation")), change.get("section_id"), content)
    canvas.edits += 1
    return {}


def _edited(canvas: Canvas, operation: str, section: str | None, content: str) -> str:
    match operation, section:
        case "replace", None:
            return content
        case "insert_at_start", None:
            return f"{content}\n\n{canvas.markdown}"
        case "insert_at_end", None:
            return f"{canvas.markdown}\n\n{content}"
        case _, str(id_) if found := _SECTION_ID.fullmatch(id_):
            if found[1] != canvas.id or int(found[2]) != canvas.edits:  # ids last until the next edit
                raise ApiRefusal("canvas_editing_failed")
            return canvas_sections.changed(canvas.markdown, operation, int(found[3]), content)
        case _:
            raise ApiRefusal("canvas_editing_failed")


def content(workspace: Workspace, args: Args) -> Json:
    """canvases.getContent, as Markdown in Slack's hand."""
    return {"content": in_slacks_hand(_found(workspace, args).markdown)}


def in_slacks_hand(markdown: str) -> str:
    """The same Markdown as another program would write it: nothing that reads differently."""
    pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.DOTALL | re.MULTILINE)
    pieces[::2] = [_BIG_HEADING.sub(r"\1\n", _SIGN.sub(r"\1* ", piece)) for piece in pieces[::2]]
    return "".join(pieces).rstrip() + "\n"


def lookup(workspace: Workspace, args: Args) -> Json:
    """canvases.sections.lookup: sections by their words, by their type, or both."""
    canvas, criteria = _found(workspace, args), args.thing("criteria") or {}
    words, types = str(criteria.get("contains_text", "")), list(criteria.get("section_types", ()))
    if not words and not types:
        raise ApiRefusal("invalid_arguments")
    found = canvas_sections.looked_up(canvas.markdown, words, types)
    return {"sections": [{"id": f"temp:C:{canvas.id}.{canvas.edits}.{number}"} for number in found]}


def set_access(workspace: Workspace, args: Args) -> Json:
    """canvases.access.set for channels."""
    canvas = _found(workspace, args)
    level, channels = args.need("access_level"), [one for one in args.text("channel_ids").split(",") if one]
    if bool(channels) == bool(args.text("user_ids")) or level not in _LEVELS:
        raise ApiRefusal("invalid_parameters")
    canvas.access |= {workspace.visible(channel).id: level for channel in channels}
    return {}


def delete(workspace: Workspace, args: Args) -> Json:
    """canvases.delete."""
    del workspace.canvases[_found(workspace, args).id]
    return {}


def _made(workspace: Workspace, canvas: Canvas) -> Json:
    canvas.id = workspace.next_id("F")
    if canvas.channel:
        canvas.access[canvas.channel] = "write"
    workspace.canvases[canvas.id] = canvas
    return {"canvas_id": canvas.id}


def _tabs(workspace: Workspace, place: Channel) -> list[Canvas]:
    return [canvas for canvas in workspace.canvases.values() if canvas.channel == place.id]


def _open_place(workspace: Workspace, channel: str) -> Channel:
    _require_canvases(workspace)
    return workspace.writable(channel)


def _require_canvases(workspace: Workspace) -> None:
    if not workspace.has_canvases:
        raise ApiRefusal("canvas_disabled_user_team")


def _found(workspace: Workspace, args: Args) -> Canvas:
    _require_canvases(workspace)
    canvas = workspace.canvases.get(args.need("canvas_id"))
    if canvas is None:
        raise ApiRefusal("canvas_not_found")
    return canvas


def _markdown(args: Args) -> str:
    document = args.thing("document_content") or {}
    if document and document.get("type") != "markdown":
        raise ApiRefusal("invalid_arguments")
    return _checked(str(document.get("markdown", "")))


def _checked(markdown: str) -> str:
    """The Markdown, as far as a canvas takes it: of headings three levels, at most 1 MiB."""
    if len(markdown.encode()) > MOST_MARKDOWN:
        raise ApiRefusal("canvas_creation_failed", detail="'content' error: too long")
    return _DEEP_HEADING.sub("### ", markdown)


METHODS = {
    "conversations.canvases.create": Method(create_in_channel, "canvases:write"),
    "canvases.create": Method(create, "canvases:write"),
    "canvases.edit": Method(edit, "canvases:write"),
    "canvases.delete": Method(delete, "canvases:write"),
    "canvases.access.set": Method(set_access, "canvases:write"),
    "canvases.getContent": Method(content, "canvases:read"),
    "canvases.sections.lookup": Method(lookup, "canvases:read"),
}
