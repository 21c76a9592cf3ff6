"""views.*: modals and the home tab."""

import json
import secrets

from bot.rehearsal.block_kit import check_view
from bot.rehearsal.payloads import view_json
from bot.rehearsal.web_api import Args, Method
from bot.rehearsal.workspace import ApiRefusal, Json, View, Workspace

DEEPEST_STACK = 3  # Slack's limit of modals on top of each other
LARGEST_VIEW = 250_000  # bytes of JSON


def open_view(workspace: Workspace, args: Args) -> Json:
    """views.open: a modal in answer to an interaction."""
    body = require_body(args, "modal")
    user = workspace.use_trigger(args.text("trigger_id"))
    view = new_view(workspace, user, body)
    workspace.stacks[user] = [view]
    return {"view": view_json(workspace, view)}


def push_view(workspace: Workspace, args: Args) -> Json:
    """views.push: a modal on top of the open ones."""
    body = require_body(args, "modal")
    user = workspace.use_trigger(args.text("trigger_id"))
    return {"view": view_json(workspace, push(workspace, user, body))}


def update_view(workspace: Workspace, args: Args) -> Json:
    """views.update of an open modal by its id or its external id."""
    body = require_body(args, "modal")
    view_id = args.text("view_id") or workspace.external_ids.get(args.text("external_id"), "")
    view = workspace.views.get(view_id)
    if view is None or view not in workspace.stacks.get(view.user, []):
        raise ApiRefusal("not_found")
    _require_same_hash(view, args)
    change(workspace, view, body)
    return {"view": view_json(workspace, view)}


def publish(workspace: Workspace, args: Args) -> Json:
    """views.publish of a person's Home tab."""
    body = require_body(args, "home")
    user = workspace.person(args.text("user_id"))
    if user.deleted or user.bot:
        raise ApiRefusal("not_enabled")
    view = workspace.homes.get(user.id)
    if view is None:
        view = workspace.homes[user.id] = new_view(workspace, user.id, body)
    else:
        _require_same_hash(view, args)
        change(workspace, view, body)
    return {"view": view_json(workspace, view)}


def require_body(args: Args, kind: str) -> Json:
    """The view of a call, checked; ApiRefusal invalid_arguments or view_too_large."""
    body = args.thing("view")
    if body is None:
        raise ApiRefusal("invalid_arguments")
    return check_body(body, kind)


def check_body(body: Json, kind: str) -> Json:
    """A view that Slack would take; ApiRefusal invalid_arguments or view_too_large."""
    if len(json.dumps(body).encode()) > LARGEST_VIEW:
        raise ApiRefusal("view_too_large")
    check_view(body, kind)
    return body


def new_view(workspace: Workspace, user: str, body: Json, under: View | None = None) -> View:
    """Add a view, above the one that it was pushed on if there is one."""
    view_id = workspace.next_id("V")
    _claim(workspace, view_id, body)
    view = View(id=view_id, user=user, body=_add_ids(workspace, body), hash=_hash(workspace), root=view_id)
    if under is not None:
        view.root, view.previous = under.root, under.id
    workspace.views[view_id] = view
    return view


def push(workspace: Workspace, user: str, body: Json) -> View:
    """One more modal on the person's stack; ApiRefusal push_limit_reached, or not_found with nothing to push on."""
    stack = workspace.stacks.get(user, [])
    if not stack:
        raise ApiRefusal("not_found")
    if len(stack) >= DEEPEST_STACK:
        raise ApiRefusal("push_limit_reached")
    view = new_view(workspace, user, body, stack[-1])
    stack.append(view)
    return view


def change(workspace: Workspace, view: View, body: Json) -> None:
    """Replace a view's body. Inputs that keep their block and action ids keep what was typed."""
    _claim(workspace, view.id, body)
    view.body, view.hash = _add_ids(workspace, body), _hash(workspace)


def _claim(workspace: Workspace, view_id: str, body: Json) -> None:
    external = body.get("external_id")
    if external and workspace.external_ids.setdefault(external, view_id) != view_id:
        raise ApiRefusal("duplicate_external_id")


def _add_ids(workspace: Workspace, body: Json) -> Json:
    return {**body, "blocks": workspace.with_ids(body["blocks"])}


def _hash(workspace: Workspace) -> str:
    return f"{int(workspace.now().timestamp())}.{secrets.token_hex(4)}"


def _require_same_hash(view: View, args: Args) -> None:
    if "hash" in args and args.text("hash") != view.hash:
        raise ApiRefusal("hash_conflict")


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push_view),
    "views.update": Method(update_view),
    "views.publish": Method(publish),
}
