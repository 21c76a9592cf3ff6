"""`/postmortem`, and the buttons of its overview, its reminders, its exports and its drafts."""

import re
from dataclasses import dataclass, replace
from datetime import date

from bot.domain.postmortem import MARKDOWN, ExportOrder
from bot.domain.sections import SECTIONS
from bot.domain.text import require_length
from bot.errors import Refused
from bot.integrations.confluence import service as confluence_service
from bot.services import incidents as incidents_service
from bot.services import outline as outline_service
from bot.services import policy as policy_service
from bot.services import postmortem as postmortem_service
from bot.services.context import Request
from bot.services.documents import drafts as drafts_service
from bot.services.documents import exports as exports_service
from bot.services.documents.drafts import SeenText
from bot.services.notifications import composer as composer_service
from bot.services.postmortem import CompletedAction
from bot.slack.mrkdwn import find_channels
from bot.slack.views import actions as actions_views
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import MASKED
from bot.slack.views.incidents import read_verdicts
from bot.slack.views.policy import CHOOSE, SKIP
from bot.slack.views.postmortem import LINK
from bot.slack.views.templates import words
from handlers.boundary import Boundary, HandlerTable
from handlers.command_table import MAYBE_TEXT, TEXT, CommandTable, Verb
from handlers.incidents import require_person
from handlers.requests import Body, Click, Command, Form, Submission, for_reader
from handlers.review import review


async def _share(boundary: Boundary, command: Command) -> Form:
    """`/postmortem share #channel html`: opens a window to confirm. Raises Refused if Slack resolved no channel."""
    where, _, name = command.rest.partition(" ")
    channels = find_channels(command.text)
    if not channels:
        raise Refused(
            f"I don't know the channel {where[:80]}. Type # and pick it from the list: `/postmortem share #leadership`"
        )
    typed = name.strip().lower() or MARKDOWN
    form = exports_service.require_format(boundary.services, typed, f"/postmortem share {where}")
    return Form(build=lambda _: exports_service.window(boundary.services, command.request, form, channels[0]))


async def _confirm_share(boundary: Boundary, sent: Submission) -> Message | None:
    about = sent.metadata
    is_masked = bool(about.get("masked")) or sent.values.get("copy") == MASKED
    order = ExportOrder(str(about["form"]), str(about["to"]), sent.request.user, is_masked, bool(about.get("agreed")))
    return await exports_service.confirm(boundary.services, sent.request, order)


async def _fill(boundary: Boundary, command: Command) -> Form:
    section = await outline_service.find_section(boundary.services, command.request, command.rest)
    return Form(build=lambda _: postmortem_service.section_form(boundary.services, command.request, section))


async def _form(boundary: Boundary, command: Command) -> Message | None:
    if not command.rest.strip():
        return await outline_service.show(boundary.services, command.request)
    return await outline_service.choose(boundary.services, command.request, command.rest)


async def _set_owner(boundary: Boundary, command: Command) -> Message | None:
    who = require_person(command, command.rest)
    return await postmortem_service.set_owner(boundary.services, command.request, who)


async def _export_typed(boundary: Boundary, command: Command) -> Message | None:
    return await exports_service.export(boundary.services, command.request, command.rest.lower() or MARKDOWN)


POSTMORTEM = CommandTable(
    "/postmortem",
    "See what's missing, and export it",
    "*Get the postmortem finished.* What's recorded is filled in already. Fill the rest one section at a time.",
    rows=(
        (
            Verb("status show", MAYBE_TEXT, lambda b, c: postmortem_service.overview(b.services, c.request),
                 "shows what's filled and what's missing", "", others=("",)),
        ),
        (
            Verb("fill", MAYBE_TEXT, _fill, "opens a section's form. Without a name: the next empty one",
                 "fill impact", also="edit"),
        ),
        (
            Verb("form", MAYBE_TEXT, _form, "shows which sections it has, and chooses others", "form",
                 also="template sections", usage="form"),
            Verb("owner", r"(?:\s+(?:over|to))*\s+(?P<text>(?!(?:over|to)\b).+)", _set_owner, "sets the owner",
                 "owner @ana", also="handover hand assign", usage="owner @ana",
                 missing="Who's finishing it? Try {example}"),
        ),
        (
            Verb("export", MAYBE_TEXT, _export_typed,
                 "posts the draft in the incident's thread: {forms}",
                 "export html", usage="export [format]"),
            Verb("share", TEXT, _share,
                 "shares a copy elsewhere. You see who can read it and what's masked first", "share #leadership",
                 missing="Share it where? Try {example}", usage="share #channel", harmful=True),
        ),
        (
            Verb("confluence", MAYBE_TEXT, lambda b, c: confluence_service.publish(b.services, c.request),
                 "creates or updates its page", "confluence", needs="confluence", harmful=True),
        ),
        (
            Verb("review", MAYBE_TEXT, review,
                 "plans its review: a calendar invitation, a reminder, and a yes or no from each. The same line "
                 "moves it, and `cancel` calls it off",
                 "review friday 14:00 @ana @bo", also="debrief", usage="review"),
        ),
        (
            Verb("publish", MAYBE_TEXT, lambda b, c: postmortem_service.publish(b.services, c.request), "publishes it",
                 "publish", also="published", usage="publish", harmful=True),
            Verb("waive", TEXT, lambda b, c: postmortem_service.waive(b.services, c.request, c.rest),
                 "closes it without a postmortem", "waive a drill, nothing broke",
                 missing="Why isn't it needed? Try {example}",
                 usage="waive reason", harmful=True),
            Verb("reopen", MAYBE_TEXT, lambda b, c: postmortem_service.reopen(b.services, c.request),
                 "opens it again, with its next reminders", "reopen", usage="reopen"),
        ),
        (
            Verb("reminders", MAYBE_TEXT, lambda b, c: postmortem_service.show_reminders(b.services, c.request),
                 "shows reminders sent and planned", "reminders"),
            Verb("snooze", MAYBE_TEXT, lambda b, c: postmortem_service.snooze(b.services, c.request),
                 "pauses its reminders for a day", "snooze"),
        ),
    ),
    notes=(
        ("• From any other channel: `/postmortem INC-7`, `publish INC-7`, `export INC-7 html`. You can also send "
         "these to me"),
    ),
    foreign={
        **{section.slug: f"/postmortem fill {section.slug.replace('_', ' ')}" for section in SECTIONS},
        **dict.fromkeys(("lead", "role", "who"), "/postmortem owner"),
        **dict.fromkeys(("unpublish", "unwaive", "undo", "open"), "/postmortem reopen"),
    },
)  # fmt: skip


_KEY = re.compile(r"inc-?(?P<number>\d{1,9})[,:]?", re.IGNORECASE)
_MAY_NAME = {"", *(word for verb in POSTMORTEM.verbs for word in verb.known_by)}


@dataclass(frozen=True, slots=True)
class NamedPostmortem:
    """A command about a postmortem, and the number of its incident if that was named (`publish INC-7`).

    `is_reason` if the key may as well begin the reason of a waiver.
    """

    text: str
    number: int | None = None
    is_reason: bool = False


def name_postmortem(text: str) -> NamedPostmortem:
    """Take the incident's key out of a line. It comes first, after the verb, or after a format."""
    words = text.split()
    most = 3 if words[:1] and words[0].lower() in ("export", "owner") else 2
    for index, word in enumerate(words[:most]):
        match = _KEY.fullmatch(word)
        command = words[0].lower() if index else ""
        if match and command in _MAY_NAME:
            rest = text.split(maxsplit=index + 1)[index + 1 :]
            return NamedPostmortem(" ".join([*words[:index], *rest]), int(match["number"]), command == "waive")
    return NamedPostmortem(text)


_SENTENCE = re.compile(
    r"(?:please\s+)?(?P<word>publish|export|show|status|postmortem|fill|snooze|reopen|waive|reminders)"
    r"(?:\s+(?:the\s+)?postmortem)?(?:\s+of)?(?P<key>\s+inc-?\d{1,9})?(?P<rest>(?:\s+.*)?)",
    re.IGNORECASE | re.DOTALL,
)


def read_message(text: str) -> NamedPostmortem | None:
    """Read a message to the bot as a command about a postmortem; None for anything else.

    Only what can mean nothing else: the verb alone, with a key, and with what `/postmortem` takes after it.
    """
    text = text.strip().rstrip(".!")
    if alone := _KEY.fullmatch(text):
        return NamedPostmortem("", int(alone["number"]))
    match = _SENTENCE.fullmatch(text)
    if match is None:
        return None
    word, rest = match["word"].lower(), match["rest"].strip()
    word = "" if word in ("postmortem", "show", "status") else word
    is_ours = not rest or (word == "export" and len(rest.split()) == 1) or (word in ("waive", "fill") and match["key"])
    if not is_ours or (word == "waive" and not rest):
        return None
    number = int(re.sub(r"\D", "", match["key"])) if match["key"] else None
    return NamedPostmortem(f"{word} {rest}".strip(), number)


async def run(boundary: Boundary, command: Command) -> Message | Form | None:
    """`/postmortem TEXT`, about this channel's incident, or about the one whose key is in the text."""
    await boundary.require_identified(command.request)
    line = await boundary.services.slack.directory.resolve_names(command.request.team, command.text)
    require_length(line, "That command")
    named = name_postmortem(line)
    if named.is_reason and await postmortem_service.has_incident(boundary.services, command.request):
        named = NamedPostmortem(command.text)  # the key begins the reason of the waiver
    verb, match = POSTMORTEM.parse(named.text, boundary.services.integrations.names)
    if verb.words == "help":
        return await verb.run(boundary, command)
    typed = f"/postmortem {named.text}".strip()
    request = await postmortem_service.find_request(boundary.services, command.request, named.number, typed)
    answer = await verb.run(boundary, replace(command, request=request, match=match))
    is_marked = request.sees is not None and isinstance(answer, dict)
    return for_reader(answer, request.user) if is_marked and isinstance(answer, dict) else answer


async def answer_message(boundary: Boundary, request: Request, text: str) -> bool:
    """Do what a message to the bot asks about a postmortem, and answer it. False if it is about something else."""
    named = read_message(text)
    if named is None:
        return False
    about = await postmortem_service.find_request(boundary.services, request, named.number, named.text or "INC-…")
    if about.incident_id is None:
        raise Refused(words.postmortem.owes_none())
    verb, match = POSTMORTEM.parse(named.text)
    if verb.words == "fill":  # a message has no trigger, without which no form opens
        verb, match = POSTMORTEM.parse("")
    answer = await verb.run(boundary, Command(about, text, match=match))
    if isinstance(answer, dict):
        message = for_reader(answer, request.user) if answer else answer
        await composer_service.say(boundary.services, replace(request, key=f"{request.key}+said"), message)
    return True


async def _hand_over(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Hand over]."""
    request = postmortem_service.announce_in_channel(sent.from_where)
    return await postmortem_service.set_owner(
        boundary.services, request, str(sent.values["owner"]), is_handed_over=True
    )


async def _waive(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Not needed …]."""
    request = postmortem_service.announce_in_channel(sent.from_where)
    return await postmortem_service.waive(boundary.services, request, str(sent.values.get("reason") or ""))


async def _show_picked(boundary: Boundary, sent: Submission) -> Block:
    """Replaces the choice of a section by its form."""
    view = await postmortem_service.section_form(boundary.services, sent.request, str(sent.values.get("section")))
    return {"response_action": "update", "view": view}


async def _save_section(boundary: Boundary, sent: Submission) -> Message | None:
    version = int(sent.metadata["version"])
    text, change = (
        blocks.read_text(sent.metadata, sent.values),
        blocks.read_text_change(sent.metadata, sent.values),
    )
    verdicts = read_verdicts({**(sent.metadata.get("alike") or {}), **sent.values})
    written = postmortem_service.WrittenSection(
        str(sent.metadata["section"]), text or "", version, is_changed=change is not None
    )
    return sent.unless_at_home(await postmortem_service.fill(boundary.services, sent.request, written, verdicts))


async def _link(boundary: Boundary, click: Click) -> Message | None:
    """[Action 2] below a root cause without an action, and [For why 3] below a new action."""
    receipt = await postmortem_service.link(
        boundary.services, click.request, int(click.value["why"]), int(click.value["action"])
    )
    return await postmortem_service.overview(boundary.services, click.request) if click.value.get("back") else receipt


async def _complete_action(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind the finding that an action has no owner or due date."""
    owner, due = actions_views.read_owner(sent.values), str(sent.values.get("due") or "")
    link = str(sent.values.get("link") or "")
    sent_as = {"owner": owner or "", "due": due, "link": link}
    changed = {name for name, value in sent_as.items() if blocks.read_change(sent.metadata, name, value) is not None}
    completion = CompletedAction(owner, date.fromisoformat(due) if due else None, link, frozenset(changed))
    return await postmortem_service.complete(boundary.services, sent.request, int(sent.metadata["action"]), completion)


async def _set_lead(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Set lead]."""
    request = postmortem_service.announce_in_channel(sent.from_where)
    return await incidents_service.set_lead(boundary.services, request, str(sent.values["lead"]), "")


async def _set_severity(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Set severity]."""
    request = postmortem_service.announce_in_channel(sent.from_where)
    return await incidents_service.set_severity(boundary.services, request, int(sent.values["severity"]))


async def _rewrite(boundary: Boundary, sent: Submission) -> Message | None:
    """The form behind [Write a new text]."""
    text = blocks.read_text(sent.metadata, sent.values) or ""
    return await drafts_service.rewrite(boundary.services, sent.request, _seen_text(sent.metadata), text)


def _seen_text(carried: Body) -> SeenText:
    return SeenText(str(carried["section"]), int(carried["seen"]), str(carried["facts"]))


async def _export(boundary: Boundary, click: Click) -> Message | None:
    return await exports_service.export(boundary.services, click.request, str(click.value.get("form") or MARKDOWN))


async def _choose_outline(boundary: Boundary, click: Click) -> Message | None:
    return await outline_service.choose(boundary.services, click.request, str(click.value["outline"]))


async def _keep_text(boundary: Boundary, click: Click) -> Message | None:
    return await drafts_service.choose(
        boundary.services, click.request, _seen_text(click.value), int(click.value["keep"])
    )


async def _judge(boundary: Boundary, click: Click, *, is_same: bool) -> Message | None:
    other = int(click.value["other"])
    return await incidents_service.judge(boundary.services, click.request, other, is_same=is_same)


def _section_in(click: Click) -> str:
    return str(click.value.get("section") or "")


HANDLERS = HandlerTable(
    commands={POSTMORTEM.name: run},
    clicks={
        "postmortem_show": lambda b, c: postmortem_service.overview(b.services, c.request),
        "postmortem_show_all": lambda b, c: postmortem_service.overview(b.services, c.request, is_whole=True),
        "postmortem_snooze": lambda b, c: postmortem_service.snooze(b.services, c.request),
        CHOOSE: lambda b, c: policy_service.choose(b.services, c.request),
        SKIP: lambda b, c: postmortem_service.skip_optional(
            b.services, postmortem_service.announce_in_channel(c.request)
        ),
        "postmortem_publish": lambda b, c: postmortem_service.publish(
            b.services, postmortem_service.announce_in_channel(c.request)
        ),
        "postmortem_publish_anyway": lambda b, c: postmortem_service.publish(b.services, c.request, is_sure=True),
        "postmortem_reopen": lambda b, c: postmortem_service.reopen(
            b.services, postmortem_service.announce_in_channel(c.request)
        ),
        "postmortem_export": _export,
        "exports_form": _export,
        re.compile(r"exports_form_[a-z]+"): _export,
        re.compile(rf"{LINK}\d+"): _link,
        re.compile(r"outline_choose_[a-z0-9_-]+"): _choose_outline,
        "draft_look": lambda b, c: drafts_service.show_section(b.services, c.request, _section_in(c)),
        "draft_keep": _keep_text,
        "draft_take": lambda b, c: drafts_service.discard(b.services, c.request, _seen_text(c.value)),
        "recall_same": lambda b, c: _judge(b, c, is_same=True),
        "recall_other": lambda b, c: _judge(b, c, is_same=False),
    },
    forms={
        "postmortem_hand_over": lambda b, c: postmortem_service.hand_over_form(b.services, c.request),
        "postmortem_waive": lambda b, c: postmortem_service.waive_form(b.services, c.request),
        "postmortem_fill": lambda b, c: postmortem_service.section_form(b.services, c.request, _section_in(c)),
        "postmortem_pick": lambda b, c: postmortem_service.pick_form(b.services, c.request),
        "exports_decide": lambda b, c: exports_service.window(
            b.services, c.request, str(c.value["form"]), str(c.value["to"])
        ),
        "finding_action": lambda b, c: postmortem_service.action_form(b.services, c.request, int(c.value["action"])),
        "finding_lead": lambda b, c: postmortem_service.lead_form(b.services, c.request),
        "finding_severity": lambda b, c: postmortem_service.severity_form(b.services, c.request),
        "draft_anew": lambda b, c: drafts_service.rewrite_form(b.services, c.request, _section_in(c)),
    },
    submissions={
        "postmortem_hand_over": _hand_over,
        "postmortem_waive": _waive,
        "postmortem_pick": _show_picked,
        "postmortem_section": _save_section,
        "exports_post": _confirm_share,
        "finding_action": _complete_action,
        "finding_lead": _set_lead,
        "finding_severity": _set_severity,
        "draft_anew": _rewrite,
    },
)
