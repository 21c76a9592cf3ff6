"""canvases.*, conversations.canvases.create and files.*, with the refusals that Slack documents.

A canvas holds Markdown. Slack returns it with other list marks and blank lines than were written, and so does this. Its
sections are those of Slack: a paragraph, heading, table, block of code or list item each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.rehearsal.block_kit import check_blocks
from bot.rehearsal.payloads import canvas_json, file_json
from bot.rehearsal.web_api import Args, Method
from bot.rehearsal.workspace import ApiRefusal, Canvas, Json, SharedFile, StandInChannel, Workspace

_SECTION = re.compile(
    r"^(?P<code>```[\s\S]*?^```[ \t]*$)"
    r"|^(?P<h>\#{1,3})[ ].+$"
    r"|^[ ]*(?:[-*+]|[0-9]+[.)])[ ].*$(?:\n[ ]{2,}(?![ ]*[-*+][ ]).+$)*"  # an item, with the lines that it goes on in
    r"|^(?:\|.*\|[ \t]*$\n?)+"
    r"|^(?:(?!\#{1,3}[ ]|[ ]*[-*+][ ]|\||```).*\S.*$\n?)+",
    re.MULTILINE | re.VERBOSE,
)
_SIGNS = re.compile(r"^[ ]*(?:[-*+]|[0-9]+[.)]|\#{1,3}|>)[ ]+|\]\([^)\]\n]*\)|\\(?=[!-/:-@\[-`{-~])|[*_`~\[]|<(?=http)")
_HEADERS = frozenset({"h1", "h2", "h3"})


@dataclass(frozen=True, slots=True)
class CanvasSection:
    """A section: its place in the canvas's Markdown, its words, and its level as `h2` if it is a heading."""

    start: int
    end: int
    words: str
    header: str


def split_sections(markdown: str) -> Iterator[CanvasSection]:
    """The sections in order."""
    for found in _SECTION.finditer(markdown):
        text = found[0].rstrip("\n")
        words = text if found["code"] else "\n".join(_SIGNS.sub("", line) for line in text.split("\n"))
        header = f"h{len(found['h'])}" if found["h"] else ""
        yield CanvasSection(found.start(), found.start() + len(text), words.strip(), header)


def find_sections(markdown: str, words: str, types: list[str]) -> list[int]:
    """The numbers of the sections that contain the words, of these types only if there are any."""
    wanted = _HEADERS if "any_header" in types else frozenset(types)
    return [
        number
        for number, section in enumerate(split_sections(markdown))
        if words in section.words and (not wanted or section.header in wanted)
    ]


def change_section(markdown: str, operation: str, number: int, content: str) -> str:
    """The Markdown after one change to a section. Raises ApiRefusal."""
    at = next((section for count, section in enumerate(split_sections(markdown)) if count == number), None)
    if at is None:
        raise ApiRefusal("canvas_editing_failed")
    before, text, after = markdown[: at.start], markdown[at.start : at.end], markdown[at.end :]
    match operation:
        case "replace":
            return f"{before}{content}{after}"
        case "insert_after":
            return f"{before}{text}{_gap(text, content)}{content}{after}"
        case "insert_before":
            return f"{before}{content}{_gap(content, text)}{text}{after}"
        case "delete" if not content:
            return f"{before.rstrip(chr(10))}\n\n{after.lstrip(chr(10))}".strip("\n")
        case _:
            raise ApiRefusal("canvas_editing_failed")


def _gap(first: str, second: str) -> str:
    return "\n" if all(re.match(r" *[-*+] ", text) for text in (first, second)) else "\n\n"


MOST_MARKDOWN = 1024 * 1024
_SECTION_ID = re.compile(r"temp:C:(\w+)\.(\d+)\.(\d+)")
_BIG_HEADING = re.compile(r"^(#{1,3} .+)$", re.MULTILINE)
_DEEP_HEADING = re.compile(r"^#{4,6} ", re.MULTILINE)
_SIGN = re.compile(r"^( *)- (?!\[[ x]\] )", re.MULTILINE)
_LEVELS = frozenset({"read", "write", "owner"})


def create_in_channel(workspace: Workspace, args: Args) -> Json:
    """conversations.canvases.create: the one canvas of a channel."""
    place, markdown = _require_open_channel(workspace, args.need("channel_id")), _markdown(args)
    if workspace.plan == "free" and _list_tabs(workspace, place):
        raise ApiRefusal("free_team_canvas_tab_already_exists")
    if any(canvas.is_channels for canvas in _list_tabs(workspace, place)):
        raise ApiRefusal("channel_canvas_already_exists")
    return _add_canvas(workspace, Canvas("", args.text("title"), markdown, place.id, is_channels=True))


def create(workspace: Workspace, args: Args) -> Json:
    """canvases.create: a tab of a channel, in which members may write, or a canvas that only the app sees."""
    _require_canvases(workspace)
    if not args.text("channel_id"):
        if workspace.plan == "free":
            raise ApiRefusal("free_teams_cannot_create_non_tabbed_canvases")
        return _add_canvas(workspace, Canvas("", args.text("title"), _markdown(args)))
    place, markdown = _require_open_channel(workspace, args.text("channel_id")), _markdown(args)
    if workspace.plan == "free" and _list_tabs(workspace, place):
        raise ApiRefusal("free_team_canvas_tab_already_exists")
    return _add_canvas(workspace, Canvas("", args.text("title"), markdown, place.id))


def edit(workspace: Workspace, args: Args) -> Json:
    """canvases.edit: one change a call; `replace` without a section replaces everything."""
    canvas = _require_canvas(workspace, args)
    if workspace.plan == "free" and not canvas.channel:
        raise ApiRefusal("free_teams_cannot_edit_standalone_canvases")
    changes = args.items("changes")
    # Slack's `canvases.edit` takes one change a call, which is why a canvas is written step by step (decision 28).
    if len(changes) != 1:
        raise ApiRefusal("invalid_arguments")
    change = changes[0]
    if change.get("operation") == "rename":
        canvas.title = str((change.get("title_content") or {}).get("markdown", ""))
        return {}
    content = _check_markdown(str((change.get("document_content") or {}).get("markdown", "")))
    canvas.markdown = _apply_change(canvas, str(change.get("operation")), change.get("section_id"), content)
    canvas.edits += 1
    return {}


def _apply_change(canvas: Canvas, operation: str, section: str | None, content: str) -> str:
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
            return change_section(canvas.markdown, operation, int(found[3]), content)
        case _:
            raise ApiRefusal("canvas_editing_failed")


def content(workspace: Workspace, args: Args) -> Json:
    """canvases.getContent, in Slack's style of Markdown."""
    return {"content": write_as_slack(_require_canvas(workspace, args).markdown)}


def write_as_slack(markdown: str) -> str:
    """The same content with the list marks and blank lines that Slack writes."""
    pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.DOTALL | re.MULTILINE)
    pieces[::2] = [_BIG_HEADING.sub(r"\1\n", _SIGN.sub(r"\1* ", piece)) for piece in pieces[::2]]
    return "".join(pieces).rstrip() + "\n"


def lookup(workspace: Workspace, args: Args) -> Json:
    """canvases.sections.lookup by words, by types, or both."""
    canvas, criteria = _require_canvas(workspace, args), args.thing("criteria") or {}
    words, types = str(criteria.get("contains_text", "")), list(criteria.get("section_types", ()))
    if not words and not types:
        raise ApiRefusal("invalid_arguments")
    found = find_sections(canvas.markdown, words, types)
    return {"sections": [{"id": f"temp:C:{canvas.id}.{canvas.edits}.{number}"} for number in found]}


def set_access(workspace: Workspace, args: Args) -> Json:
    """canvases.access.set for channels."""
    canvas = _require_canvas(workspace, args)
    level, channels = args.need("access_level"), [one for one in args.text("channel_ids").split(",") if one]
    if bool(channels) == bool(args.text("user_ids")) or level not in _LEVELS:
        raise ApiRefusal("invalid_parameters")
    canvas.access |= {workspace.find_visible(channel).id: level for channel in channels}
    return {}


def delete(workspace: Workspace, args: Args) -> Json:
    """canvases.delete."""
    del workspace.canvases[_require_canvas(workspace, args).id]
    return {}


def _add_canvas(workspace: Workspace, canvas: Canvas) -> Json:
    canvas.id = workspace.next_id("F")
    if canvas.channel:
        canvas.access[canvas.channel] = "write"
    workspace.canvases[canvas.id] = canvas
    return {"canvas_id": canvas.id}


def _list_tabs(workspace: Workspace, place: StandInChannel) -> list[Canvas]:
    return [canvas for canvas in workspace.canvases.values() if canvas.channel == place.id]


def _require_open_channel(workspace: Workspace, channel: str) -> StandInChannel:
    _require_canvases(workspace)
    return workspace.find_writable(channel)


def _require_canvases(workspace: Workspace) -> None:
    if not workspace.has_canvases:
        raise ApiRefusal("canvas_disabled_user_team")


def _require_canvas(workspace: Workspace, args: Args) -> Canvas:
    _require_canvases(workspace)
    canvas = workspace.canvases.get(args.need("canvas_id"))
    if canvas is None:
        raise ApiRefusal("canvas_not_found")
    return canvas


def _markdown(args: Args) -> str:
    document = args.thing("document_content") or {}
    if document and document.get("type") != "markdown":
        raise ApiRefusal("invalid_arguments")
    return _check_markdown(str(document.get("markdown", "")))


def _check_markdown(markdown: str) -> str:
    """The Markdown as a canvas stores it: at most three levels of headings and 1 MiB. Raises ApiRefusal."""
    if len(markdown.encode()) > MOST_MARKDOWN:
        raise ApiRefusal("canvas_creation_failed", detail="'content' error: too long")
    return _DEEP_HEADING.sub("### ", markdown)


def upload_url(workspace: Workspace, args: Args) -> Json:
    """files.getUploadURLExternal: where to send the bytes."""
    name, length = args.need("filename"), args.number("length", 0)
    if length <= 0:
        raise ApiRefusal("invalid_arguments")
    file = SharedFile(id=workspace.next_id("F"), name=name)
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.base_url}/upload/{file.id}", "file_id": file.id}


def complete(workspace: Workspace, args: Args) -> Json:
    """files.completeUploadExternal: share what was uploaded, if there is a channel."""
    wanted = args.items("files")
    if not wanted:
        raise ApiRefusal("invalid_arguments")
    files = [_require_uploaded(workspace, item) for item in wanted]
    check_blocks(args.items("blocks"))
    channels = [name for name in args.text("channels").split(",") if name] or [args.text("channel_id")]
    places = [workspace.find_writable(name) for name in channels if name]
    for place in places:
        message = workspace.put(
            place,
            workspace.bot_user_id,
            args.text("initial_comment"),
            blocks=args.items("blocks"),
            thread_ts=args.text("thread_ts"),
            files=[file.id for file in files],
            by_app=True,
        )
        for file in files:
            file.channel, file.thread_ts, file.ts = place.id, message.thread_ts, message.ts
            file.initial_comment = message.text
    return {"files": [file_json(workspace, file, shares=False) for file in files]}


def share(workspace: Workspace, place: StandInChannel, user: str, name: str, content: bytes) -> SharedFile:
    """Add a file that a person attaches to their message."""
    file = SharedFile(workspace.next_id("F"), name, bytes=content, channel=place.id, user=user, uploaded=True)
    workspace.files[file.id] = file
    return file


def _require_uploaded(workspace: Workspace, item: Json) -> SharedFile:
    file = workspace.files.get(str(item.get("id", "")))
    if file is None or not file.uploaded:
        raise ApiRefusal("file_not_found")
    file.title = str(item.get("title") or file.name)
    return file


def files_info(workspace: Workspace, args: Args) -> Json:
    """files.info of a file, with its shares, or of a canvas."""
    canvas = workspace.canvases.get(args.text("file"))
    if canvas is not None:
        return {"file": canvas_json(workspace, canvas)}
    file = workspace.files.get(args.text("file"))
    if file is None:
        raise ApiRefusal("file_not_found")
    return {"file": file_json(workspace, file)}


METHODS = {
    "conversations.canvases.create": Method(create_in_channel, "canvases:write"),
    "canvases.create": Method(create, "canvases:write"),
    "canvases.edit": Method(edit, "canvases:write"),
    "canvases.delete": Method(delete, "canvases:write"),
    "canvases.access.set": Method(set_access, "canvases:write"),
    "canvases.getContent": Method(content, "canvases:read"),
    "canvases.sections.lookup": Method(lookup, "canvases:read"),
    "files.getUploadURLExternal": Method(upload_url, "files:write"),
    "files.completeUploadExternal": Method(complete, "files:write"),
    "files.info": Method(files_info, "files:read"),
}
