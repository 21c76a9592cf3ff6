"""`/postmortem`, and the buttons of its overview and of its reminders.

Exports: the buttons of the other forms, and the window that asks before a draft leaves.

The button and form that complete an action which the checks found wanting.

The buttons by which somebody chooses between the texts of a section that came back in drafts.

The buttons below past incidents that are proposed for their likeness.
"""

import re
from dataclasses import replace
from datetime import date

from slack_bolt.async_app import AsyncApp

from bot.domain import postmortem as postmortem_rules
from bot.domain.postmortem import MARKDOWN, ExportOrder
from bot.errors import Refused
from bot.integrations.confluence import service as confluence_service
from bot.services import notifications as notifications_service
from bot.services import postmortem as postmortem_service
from bot.services import similar_incidents as similar_incidents_service
from bot.services.context import Request, Services
from bot.services.documents import drafts as drafts_service
from bot.services.documents import exports as exports_service
from bot.services.documents.drafts import SeenText
from bot.services.postmortem import CompletedAction
from bot.slack.mrkdwn import find_channels
from bot.slack.views import actions as actions_views
from bot.slack.views import form_fields as form_fields_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import MASKED
from bot.slack.views.postmortem import LINK
from bot.slack.views.similar_incidents import read_verdicts
from bot.slack.views.templates import words
from handlers.boundary import Boundary
from handlers.incidents import person_in
from handlers.requests import Body, Click, Command, Form, Submission, for_reader

_FORM = re.compile(r"exports_form_[a-z]+")


class Exports:
    """Parses what was typed or pressed, calls one verb, returns its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in but the command, which is the postmortem's."""
        app.action("postmortem_export")(boundary.click(self.export))
        app.action(_FORM)(boundary.click(self.export))
        app.action("exports_decide")(boundary.form(self.decide))
        app.view("exports_post")(boundary.submission(self.post))

    async def export(self, click: Click) -> Message | None:
        """[Export], and the button of a form."""
        return await exports_service.export(self._services, click.request, str(click.value.get("form") or MARKDOWN))

    def share(self, command: Command, where: str, form: str) -> Form:
        """`/postmortem share #channel html`: the window that asks. Raises Refused for a name Slack did not resolve."""
        channels = find_channels(command.text)
        if not channels:
            raise Refused(f"I do not know the channel {where[:80]}. Pick it from Slack's list as you type #.")
        form = exports_service.require_format(self._services, form)

        async def build(_: Click) -> Block:
            return await exports_service.window(self._services, command.request, form, channels[0])

        return Form(build=build)

    async def decide(self, click: Click) -> Block:
        """[Look and decide], and [Try again] below what failed."""
        return await exports_service.window(
            self._services, click.request, str(click.value["form"]), str(click.value["to"])
        )

    async def post(self, sent: Submission) -> Message | None:
        """The window, answered."""
        about = sent.metadata
        is_masked = bool(about.get("masked")) or sent.values.get("copy") == MASKED
        order = ExportOrder(
            str(about["form"]), str(about["to"]), sent.request.user, is_masked, bool(about.get("agreed"))
        )
        return await exports_service.confirm(self._services, sent.request, order)


class PostmortemHandlers:
    """Parses what was typed, calls one verb, returns its answer."""

    def __init__(self, services: Services, exports: Exports) -> None:
        self._services = services
        self._exports = exports

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.command("/postmortem")(boundary.command(self.command))
        app.action("postmortem_show")(boundary.click(self.show))
        app.action("postmortem_snooze")(boundary.click(self.snooze))
        app.action("postmortem_publish")(boundary.click(self.published))
        app.action("postmortem_reopen")(boundary.click(self.reopened))
        app.action("postmortem_hand_over")(boundary.form(self.hand_over_form))
        app.action("postmortem_waive")(boundary.form(self.waive_form))
        app.view("postmortem_hand_over")(boundary.submission(self.handed_over))
        app.view("postmortem_waive")(boundary.submission(self.waived))
        app.action("postmortem_fill")(boundary.form(self.fill_form))
        app.action("postmortem_pick")(boundary.form(self.pick_form))
        app.view("postmortem_pick")(boundary.submission(self.picked))
        app.view("postmortem_section")(boundary.submission(self.filled))

    async def command(self, command: Command) -> Message | Form | None:
        """`/postmortem TEXT`."""
        text = await self._services.slack.directory.resolve_names(command.request.team, command.text)
        named = postmortem_rules.named(text)
        if named.is_reason and await postmortem_service.has_incident(self._services, command.request):
            named = postmortem_rules.NamedPostmortem(command.text)  # there the key begins the reason of the waiver
        wish = postmortem_rules.wish(named.text)
        if isinstance(wish, postmortem_rules.PostmortemHelp):
            return postmortem_views.help_message(
                self._services.integrations.names, exports_service.list_formats(self._services)
            )
        request = await postmortem_service.find_request(
            self._services, command.request, named.number, f"/postmortem {named.text}".strip()
        )
        said = await self._do(replace(command, request=request), wish)
        is_marked = request.sees is not None and isinstance(said, dict)
        return for_reader(said, request.user) if is_marked and isinstance(said, dict) else said

    async def _do(self, command: Command, wish: postmortem_rules.Wish) -> Message | Form | None:
        services, request = self._services, command.request
        match wish:
            case postmortem_rules.Fill(section):
                return Form(build=lambda _: postmortem_service.section_form(services, request, section))
            case postmortem_rules.SetOwner() | postmortem_rules.Snooze() | postmortem_rules.Waive() as owing:
                return await self._owe(command, owing)
            case postmortem_rules.Export() | postmortem_rules.Share() | postmortem_rules.PutOnConfluence() as leaving:
                return await self._leave(command, leaving)
            case _:
                return await self._stand(request, wish)

    async def _stand(self, request: Request, wish: postmortem_rules.Wish) -> Message | None:
        match wish:
            case postmortem_rules.Publish():
                return await postmortem_service.publish(self._services, request)
            case postmortem_rules.ReopenPostmortem():
                return await postmortem_service.reopen(self._services, request)
            case postmortem_rules.ShowReminders():
                return await postmortem_service.show_reminders(self._services, request)
            case _:
                return await postmortem_service.overview(self._services, request)

    async def said_to_us(self, request: Request, text: str) -> bool:
        """Whether what somebody wrote to the bot is about a postmortem; then it is done, and answered there."""
        named = postmortem_rules.said_to_us(text)
        if named is None:
            return False
        about = await postmortem_service.find_request(self._services, request, named.number, named.text or "INC-…")
        if about.incident_id is None:
            raise Refused(words.postmortem.owes_none())
        command = Command(about, text, "", "", "")
        wish = postmortem_rules.wish(named.text)
        done = await self._do(
            command, postmortem_rules.PostmortemOverview() if isinstance(wish, postmortem_rules.Fill) else wish
        )
        if isinstance(done, dict):
            said = for_reader(done, request.user) if done else done
            await notifications_service.say(self._services, replace(request, key=f"{request.key}+said"), said)
        return True

    async def published(self, click: Click) -> Message | None:
        """[Publish], below a reminder and in the Home tab."""
        return await postmortem_service.publish(self._services, postmortem_service.announce_in_channel(click.request))

    async def _owe(self, command: Command, wish: postmortem_rules.Owing) -> Message | None:
        match wish:
            case postmortem_rules.SetOwner(who):
                return await postmortem_service.set_owner(self._services, command.request, person_in(command, who))
            case postmortem_rules.Snooze():
                return await postmortem_service.snooze(self._services, command.request)
            case postmortem_rules.Waive(reason):
                return await postmortem_service.waive(self._services, command.request, reason)

    async def _leave(self, command: Command, wish: postmortem_rules.Leaving) -> Message | Form | None:
        match wish:
            case postmortem_rules.Export(form):
                return await exports_service.export(self._services, command.request, form)
            case postmortem_rules.Share(where, form):
                return self._exports.share(command, where, form)
            case _:
                return await confluence_service.publish(self._services, command.request)

    async def show(self, click: Click) -> Message:
        """[Postmortem] on the live message, [Show what is missing] on a reminder."""
        return await postmortem_service.overview(self._services, click.request)

    async def snooze(self, click: Click) -> Message | None:
        """[Snooze 1 day]."""
        return await postmortem_service.snooze(self._services, click.request)

    async def reopened(self, click: Click) -> Message | None:
        """[Open it again]."""
        return await postmortem_service.reopen(self._services, postmortem_service.announce_in_channel(click.request))

    async def hand_over_form(self, click: Click) -> Block:
        """[Hand over]."""
        return await postmortem_service.hand_over_form(self._services, click.request)

    async def handed_over(self, sent: Submission) -> Message | None:
        """The form behind [Hand over]."""
        request = postmortem_service.announce_in_channel(sent.from_where)
        return await postmortem_service.set_owner(
            self._services, request, str(sent.values["owner"]), is_handed_over=True
        )

    async def waive_form(self, click: Click) -> Block:
        """[Not needed …]."""
        return await postmortem_service.waive_form(self._services, click.request)

    async def waived(self, sent: Submission) -> Message | None:
        """The form behind [Not needed …]."""
        request = postmortem_service.announce_in_channel(sent.from_where)
        return await postmortem_service.waive(self._services, request, str(sent.values.get("reason") or ""))

    async def fill_form(self, click: Click) -> Block:
        """[Fill next]."""
        return await postmortem_service.section_form(
            self._services, click.request, str(click.value.get("section") or "")
        )

    async def pick_form(self, click: Click) -> Block:
        """[Another section]."""
        return await postmortem_service.pick_form(self._services, click.request)

    async def picked(self, sent: Submission) -> Block:
        """A section was chosen: its form takes the place of the choice."""
        view = await postmortem_service.section_form(self._services, sent.request, str(sent.values.get("section")))
        return {"response_action": "update", "view": view}

    async def filled(self, sent: Submission) -> Message | None:
        """A section's form was sent; its fields are one text."""
        version = int(sent.metadata["version"])
        text, change = (
            form_fields_views.read_text(sent.metadata, sent.values),
            form_fields_views.read_text_change(sent.metadata, sent.values),
        )
        verdicts = read_verdicts({**(sent.metadata.get("alike") or {}), **sent.values})
        written = postmortem_service.WrittenSection(
            str(sent.metadata["section"]), text or "", version, is_changed=change is not None
        )
        return sent.unless_at_home(await postmortem_service.fill(self._services, sent.request, written, verdicts))


class Findings:
    """Calls one verb, returns its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action(re.compile(rf"{LINK}\d+"))(boundary.click(self.link))
        app.action("finding_action")(boundary.form(self.form))
        app.view("finding_action")(boundary.submission(self.completed))

    async def link(self, click: Click) -> Message | None:
        """[Action 2] below the question which action a root cause has, and [For why 3] below a new action."""
        said = await postmortem_service.link(
            self._services, click.request, int(click.value["why"]), int(click.value["action"])
        )
        return await postmortem_service.overview(self._services, click.request) if click.value.get("back") else said

    async def form(self, click: Click) -> Block:
        """[Owner, date, link]."""
        return await postmortem_service.action_form(self._services, click.request, int(click.value["action"]))

    async def completed(self, sent: Submission) -> Message | None:
        """The form behind it."""
        owner, due = actions_views.read_owner(sent.values), str(sent.values.get("due") or "")
        link = str(sent.values.get("link") or "")
        sent_as = {"owner": owner or "", "due": due, "link": link}
        changed = {
            name
            for name, value in sent_as.items()
            if form_fields_views.read_change(sent.metadata, name, value) is not None
        }
        given = CompletedAction(owner, date.fromisoformat(due) if due else None, link, frozenset(changed))
        return await postmortem_service.complete(self._services, sent.request, int(sent.metadata["action"]), given)


class Drafts:
    """[Choose], [Keep the edited text], [Take the record's], [Write anew]."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("draft_look")(boundary.click(self.look))
        app.action("draft_keep")(boundary.click(self.keep))
        app.action("draft_take")(boundary.click(self.take))
        app.action("draft_anew")(boundary.form(self.anew_form))
        app.view("draft_anew")(boundary.submission(self.anew))

    async def look(self, click: Click) -> Message:
        """[Choose] or [Show] beside a section."""
        return await drafts_service.show_section(self._services, click.request, str(click.value["section"]))

    async def keep(self, click: Click) -> Message | None:
        """[Keep the edited text]."""
        return await drafts_service.choose(self._services, click.request, _seen(click.value), int(click.value["keep"]))

    async def take(self, click: Click) -> Message | None:
        """[Take the record's]."""
        return await drafts_service.discard(self._services, click.request, _seen(click.value))

    async def anew_form(self, click: Click) -> Block:
        """[Write anew]."""
        return await drafts_service.rewrite_form(self._services, click.request, str(click.value["section"]))

    async def anew(self, sent: Submission) -> Message | None:
        """The form behind [Write anew]."""
        text = form_fields_views.read_text(sent.metadata, sent.values) or ""
        return await drafts_service.rewrite(self._services, sent.request, _seen(sent.metadata), text)


def _seen(carried: Body) -> SeenText:
    return SeenText(str(carried["section"]), int(carried["seen"]), str(carried["facts"]))


class Recall:
    """[Same cause] and [Not this one]."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def listen(self, app: AsyncApp, boundary: Boundary) -> None:
        """Register every way in."""
        app.action("recall_same")(boundary.click(self.same))
        app.action("recall_other")(boundary.click(self.other))

    async def same(self, click: Click) -> Message | None:
        """[Same cause]."""
        return await similar_incidents_service.judge(
            self._services, click.request, int(click.value["other"]), is_same=True
        )

    async def other(self, click: Click) -> Message | None:
        """[Not this one]."""
        return await similar_incidents_service.judge(
            self._services, click.request, int(click.value["other"]), is_same=False
        )
