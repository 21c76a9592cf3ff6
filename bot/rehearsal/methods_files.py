"""files.*: the three steps of an upload, and what became of it."""

from bot.rehearsal.calling import Args, Method
from bot.rehearsal.limits import check_blocks
from bot.rehearsal.records import ApiRefusal, Channel, Json, SharedFile
from bot.rehearsal.shapes import canvas_json, file_json
from bot.rehearsal.workspace import Workspace


def upload_url(workspace: Workspace, args: Args) -> Json:
    """files.getUploadURLExternal: where to send the bytes."""
    name, length = args.need("filename"), args.number("length", 0)
    if length <= 0:
        raise ApiRefusal("invalid_arguments")
    file = SharedFile(id=workspace.next_id("F"), name=name)
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.base_url}/upload/{file.id}", "file_id": file.id}


def complete(workspace: Workspace, args: Args) -> Json:
    """files.completeUploadExternal: share what was uploaded; with no channel it stays the bot's own."""
    wanted = args.items("files")
    if not wanted:
        raise ApiRefusal("invalid_arguments")
    files = [_uploaded(workspace, item) for item in wanted]
    check_blocks(args.items("blocks"))
    channels = [name for name in args.text("channels").split(",") if name] or [args.text("channel_id")]
    places = [workspace.writable(name) for name in channels if name]
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


def share(workspace: Workspace, place: Channel, user: str, name: str, content: bytes) -> SharedFile:
    """A file that a person puts on a message of theirs."""
    file = SharedFile(workspace.next_id("F"), name, bytes=content, channel=place.id, user=user, uploaded=True)
    workspace.files[file.id] = file
    return file


def _uploaded(workspace: Workspace, item: Json) -> SharedFile:
    file = workspace.files.get(str(item.get("id", "")))
    if file is None or not file.uploaded:
        raise ApiRefusal("file_not_found")
    file.title = str(item.get("title") or file.name)
    return file


def files_info(workspace: Workspace, args: Args) -> Json:
    """files.info, with where it is shared; of a canvas too."""
    canvas = workspace.canvases.get(args.text("file"))
    if canvas is not None:
        return {"file": canvas_json(workspace, canvas)}
    file = workspace.files.get(args.text("file"))
    if file is None:
        raise ApiRefusal("file_not_found")
    return {"file": file_json(workspace, file)}


METHODS = {
    "files.getUploadURLExternal": Method(upload_url, "files:write"),
    "files.completeUploadExternal": Method(complete, "files:write"),
    "files.info": Method(files_info, "files:read"),
}
