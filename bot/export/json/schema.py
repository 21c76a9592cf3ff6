"""The JSON format: what each property means, and what it may hold.

The published schema is made of it, and imported files are checked by it. Texts are cleaned as in every export
(`bot.domain.text`).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)
from pydantic.json_schema import GenerateJsonSchema

from bot import bounds
from bot.domain.facets import fold
from bot.domain.outline import LONGEST_QUESTION, LONGEST_TITLE, MOST_SECTIONS, NAME
from bot.domain.policy import PostmortemRule
from bot.domain.records import ActionKind, ActionStatus, EditOrigin, EntryKind, Milestone, PostmortemStatus, Status
from bot.domain.text import clean, to_one_line
from bot.export.json import FORMAT, VERSION

# Room for a change of zone at both ends: arithmetic near Python's first and last year overflows.
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _utc(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("it must be in the years 1900 to 8999")
    return moment.astimezone(UTC)


Text = Annotated[str, StringConstraints(max_length=bounds.RECORD_TEXT), AfterValidator(clean)]
Name = Annotated[str, StringConstraints(max_length=bounds.RECORD_TEXT), AfterValidator(to_one_line)]
Markdown = Annotated[str, StringConstraints(max_length=bounds.DRAFT), AfterValidator(clean)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE), AfterValidator(to_one_line)]
Question = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_QUESTION), AfterValidator(to_one_line)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
# Nine digits fit into the database's integer.
Key = Annotated[str, StringConstraints(pattern=r"^INC-[1-9][0-9]{0,8}$")]
Number = Annotated[int, Field(ge=1, le=999_999)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]

FOLLOWS = "Follows from the rest; may be left out."
"""Added to values that a file may leave out. If they are there, they must be right."""


class Shape(BaseModel):
    """An object without other properties than these."""

    # Strict, because what is accepted must come out again exactly (decision 23): "1" read as 1 would not.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PersonJson(Shape):
    """A person, or a user group that owns something."""

    id: Id = Field(description="The id in Slack.")
    name: Name = Field(description="The last known name; the id if the name is unknown.")


class WordingJson(Shape):
    """One wording that something had."""

    change: Name = Field(
        description="What caused it: added, marked (by a reaction), edited, moved, struck, restored, redacted, "
        "root, no root, or saved."
    )
    text: Text = Field(description="The wording, without redacted credentials.")
    by: PersonJson = Field(description="Who did it.")
    at: Moment = Field(description="When they did it, in UTC.")


class EntryWording(WordingJson):
    """One wording that an entry of the timeline had."""

    happened_at: Moment = Field(description="When it happened, as this wording had it, in UTC.")
    ended_at: Moment | None = Field(default=None, description="When it ended, as this wording had it, in UTC, or null.")
    approximate: bool = Field(default=False, description="Whether the time of this wording is approximate.")


class FileJson(Shape):
    """A file attached to a captured message."""

    name: Name = Field(description="Its name, given by its sender.")
    type: Name | None = Field(default=None, description="Its media type; of a kept file, judged by its bytes.")
    size: Annotated[int, Field(ge=0, le=2**53)] = Field(description="Bytes.")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description=f"SHA-256 of the content, in hexadecimal digits. {FOLLOWS}"
    )
    not_kept: Text | None = Field(default=None, description="Why it is not kept; null if it is.")
    content: Base64Bytes | None = Field(default=None, description="Its content in Base64; null if there is none.")


class EntryJson(Shape):
    """One line of the timeline."""

    number: Number = Field(description="Its number within the incident, in the order of recording.")
    happened_at: Moment = Field(description="When it happened, in UTC.")
    ended_at: Moment | None = Field(default=None, description="When it ended, in UTC; null if it has no length.")
    approximate: bool = Field(default=False, description="Whether the time is approximate.")
    text: Text = Field(description="What happened.")
    milestone: Milestone | None = Field(default=None, description="The milestone that it marks.")
    counts: bool | None = Field(
        default=None,
        description="Of the entries that mark the same milestone, whether this one counts; null if it marks none, or a "
        f"resolution that did not last. {FOLLOWS}",
    )
    kind: EntryKind = Field(default=EntryKind.NOTE, description="A person's note, or a change of the incident.")
    author: Name | None = Field(default=None, description="The name of the person who saw it.")
    author_id: Id = Field(description="The id of the person who saw it.")
    recorder: Name | None = Field(default=None, description="The name of the person who wrote it down.")
    recorder_id: Id = Field(description="The id of the person who wrote it down.")
    recorded_at: Moment = Field(description="When it was written down, in UTC.")
    permalink: Name | None = Field(default=None, description="The address of the message that it was captured from.")
    message: Id | None = Field(default=None, description="That message as channel:ts; unique in an incident.")
    message_since: Literal["edited", "deleted"] | None = Field(
        default=None, description="What has happened to that message since."
    )
    files: list[FileJson] = Field(default=[], description="The files attached to that message.")
    versions: list[EntryWording] = Field(
        default=[], description="All versions, first to last; empty if it was never changed."
    )


class Evidence(Shape):
    """An entry that a why cites."""

    number: Number = Field(description="The entry's number.")
    happened_at: Moment = Field(description="When it happened, in UTC.")
    text: Text = Field(description="What happened.")


class WhyJson(Shape):
    """One step of the five whys."""

    number: Number = Field(description="Its number within the incident, in the order of answering.")
    parent: Number | None = Field(description="The number of the why that it explains; null for a first one.")
    answers: Number | None = Field(
        default=None, description="The why that it answered; another one than the parent if that was removed later."
    )
    text: Text = Field(description="The answer.")
    root: bool = Field(default=False, description="Whether it is a root cause.")
    evidence: list[Evidence] = Field(default=[], description=f"The entries cited in the text. {FOLLOWS}")
    action: Number | None = Field(default=None, description="The first of the actions.")
    actions: list[Number] = Field(default=[], description="The numbers of the actions that are for it.")
    author: Name | None = Field(default=None, description="The name of the person who answered.")
    author_id: Id = Field(description="The id of the person who answered.")
    recorded_at: Moment = Field(description="When they answered, in UTC.")
    versions: list[WordingJson] = Field(
        default=[], description="All versions, first to last; empty if it was never changed."
    )


class SectionJson(Shape):
    """One section of the postmortem."""

    title: Name | None = Field(default=None, description=f"Its heading. {FOLLOWS}")
    text: Text | None = Field(description="What a person wrote; null if no one has.")
    author: Name | None = Field(
        default=None, description="The name of the person who saved it last; null if it is empty."
    )
    author_id: Id | None = Field(
        default=None, description="The id of the person who saved it last; null if it is empty."
    )
    saved_at: Moment | None = Field(default=None, description="When that was, in UTC; null if it is empty.")
    versions: list[WordingJson] = Field(
        default=[], description="Every saved text, first to last; empty if it was saved once."
    )


class ActionJson(Shape):
    """A corrective action."""

    number: Number = Field(description="Its number within the incident.")
    text: Text = Field(description="What will be done.")
    owner: PersonJson | None = Field(default=None, description="Who owns it; null if it has no owner yet.")
    due: date | None = Field(default=None, description="The day by which, on the owner's calendar.")
    status: ActionStatus = Field(default=ActionStatus.OPEN, description="Its state.")
    overdue: bool = Field(default=False, description=f"Whether it was late at generated_at. {FOLLOWS}")
    reason: Text | None = Field(default=None, description="Why it was dropped.")
    link: Text | None = Field(default=None, description="Its address in a tracker.")
    kind: ActionKind | None = Field(default=None, description="What it is for.")
    held: Literal["held", "came back"] | None = Field(
        default=None, description="Whether it held, as its owner said a month later."
    )
    overdue_at: Moment | None = Field(default=None, description="The end of the due day where the owner lives, in UTC.")
    created_by: PersonJson = Field(description="Who wrote it down.")
    created_at: Moment = Field(description="When they did, in UTC.")
    closed_at: Moment | None = Field(default=None, description="When it was done or dropped, in UTC.")


class AuditLineJson(Shape):
    """A line of the audit."""

    at: Moment = Field(description="When it was done, in UTC.")
    who: Name | None = Field(default=None, description="The name of the person who did it.")
    who_id: Id = Field(description="The id of the person who did it.")
    verb: Name = Field(description="What was done, as noun.verb.")
    what: Name = Field(description="What was changed, never its words.")
    delivery: Name | None = Field(
        default=None, description="The key of Slack's request; null for wordings of entries, which follow from those."
    )


class EditedTextJson(Shape):
    """A text from an imported draft, or a person's choice between several."""

    section: Slug = Field(description="The region of the draft: a section's slug, or a name of a template's own.")
    version: Number = Field(description="Its number within the region, in the order of import.")
    change: EditOrigin = Field(description="How it was made. Once it is given up, the region is generated again.")
    markdown: Markdown = Field(description="The person's own Markdown; empty if they emptied the region.")
    facts: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")] | None = Field(
        default=None, description="The digest of what the record knew when the draft was exported; null if unknown."
    )
    seen: Annotated[int, Field(ge=0, le=999_999)] = Field(
        description="The last version of the region that this draft showed; 0 if none."
    )
    author: Name | None = Field(default=None, description="The name of the person who edited it; null if unknown.")
    author_id: Id | None = Field(default=None, description="Their id; null for a person unknown in Slack.")
    source: Literal["file", "canvas", "confluence", "slack"] = Field(description="Where it was edited.")
    draft: Name | None = Field(default=None, description="Which copy was edited; for a file, when it was compiled.")
    saved_at: Moment = Field(description="When it was imported, in UTC.")
    stands: bool = Field(default=True, description=f"Whether no other text has replaced it. {FOLLOWS}")


class Struck(Shape):
    """What was removed. No other format has it."""

    timeline: list[EntryJson] = Field(default=[], description="Entries, by number; their files are only named.")
    whys: list[WhyJson] = Field(default=[], description="Whys, by number; parent is the why that each answered.")


class LikenessJson(Shape):
    """A person's verdict on a past incident that was proposed as similar."""

    incident: Key = Field(description="The key of that incident.")
    same_cause: bool = Field(description="Whether it had the same cause.")
    said_by: PersonJson = Field(description="Who said so.")
    said_at: Moment = Field(description="When they said so, in UTC.")


class FormSectionJson(Shape):
    """A section of a form."""

    slug: Slug = Field(description="What names it in the record, and in the markers of drafts.")
    title: Title = Field(description="Its heading.")
    question: Question = Field(description="What helps to write it.")
    required: bool = Field(default=False, description="Whether the postmortem can't be published while it is empty.")


def _once(sections: list[FormSectionJson]) -> list[FormSectionJson]:
    if len({section.slug for section in sections}) < len(sections):
        raise ValueError("each section must be there once")
    return sections


class FormJson(Shape):
    """The form of a postmortem: which sections it has, in which order."""

    name: Annotated[str, StringConstraints(pattern=rf"^{NAME.pattern}$")] = Field(
        description="The name of the form, as in /postmortem form short."
    )
    title: Title = Field(description="What people call it.")
    chosen: bool = Field(default=False, description="Whether a person chose it.")
    sections: Annotated[list[FormSectionJson], Field(min_length=1, max_length=MOST_SECTIONS), AfterValidator(_once)] = (
        Field(description="Its sections, in order.")
    )
    former: list[FormSectionJson] = Field(
        default=[], description="Sections of earlier forms of the incident, by which their texts are named."
    )


class ChannelJson(Shape):
    """The channel of the incident."""

    id: Id = Field(description="The id in Slack.")
    name: Name | None = Field(default=None, description="The name without #; null if unknown.")


PolicyWord = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(to_one_line)]
Delay = Annotated[float, Field(gt=0, le=8784 * 3600, allow_inf_nan=False)]
ActionWord = Literal["prevent", "detect", "mitigate", "process", "other"]
SpanDays = Annotated[int, Field(ge=1, le=69_993)]


class PolicyJson(Shape):
    """The policy that counted when the incident was resolved; what is left out was as the settings said."""

    severity: Literal["sev1", "sev2", "sev3", "sev4", "none"] = Field(description="Whose policy it is.")
    postmortem: PostmortemRule = Field(description="Whether a postmortem is asked for.")
    remind_after: Annotated[list[Delay], Field(min_length=1)] | None = Field(
        default=None, description="Seconds from the resolution to each reminder."
    )
    weeks: Annotated[int, Field(ge=0, le=52)] | None = Field(default=None, description="Weekly reminders after these.")
    also: list[PolicyWord] = Field(
        default=[], description="Who hears besides the owner: lead, opener, ids of people, channels."
    )
    sections: list[Slug] | None = Field(default=None, description="The sections that a publication needs.")
    due: dict[ActionWord, SpanDays] | None = Field(
        default=None, description="In how many days an action is due that names no day, by its kind."
    )
    rest_hours: list[Annotated[int, Field(ge=0, le=23)]] | None = Field(
        default=None, description="From and until which hour there are no reminders by DM; empty for none."
    )
    rest_days: list[Annotated[int, Field(ge=0, le=6)]] | None = Field(
        default=None, description="Days of the week without reminders by DM, 0 for Monday."
    )
    owner: PolicyWord | None = Field(default=None, description="Who owns the postmortem by default.")
    review: Literal["required", "optional"] = Field(
        default="optional", description="Whether a review comes before publication."
    )
    chosen: bool = Field(default=False, description="Whether a person asked for the postmortem.")

    @field_validator("rest_hours")
    @classmethod
    def _require_two(cls, hours: list[int] | None) -> list[int] | None:
        if hours and (len(hours) != 2 or hours[0] == hours[1]):
            raise ValueError("write two different hours, or none")
        return hours

    @field_validator("rest_days")
    @classmethod
    def _require_a_free_day(cls, days: list[int] | None) -> list[int] | None:
        if days and len(set(days)) > 6:
            raise ValueError("leave a day on which people can be reminded")
        return days


class PostmortemJson(Shape):
    """The state of the document."""

    status: PostmortemStatus = Field(default=PostmortemStatus.OPEN, description="Its state.")
    reason: Text | None = Field(default=None, description="Why it was waived.")
    owner: PersonJson | None = Field(default=None, description="Who finishes it.")
    published_at: Moment | None = Field(default=None, description="When it was published, in UTC.")
    form: FormJson | None = Field(
        default=None, description="Which sections it has, in which order; null for the 14 usual ones."
    )
    policy: PolicyJson | None = Field(default=None, description="What was asked of it; null without a policy.")


def _differ(names: list[str]) -> list[str]:
    if not all(names) or len({fold(name) for name in names}) < len(names):
        raise ValueError("each name must be there once, whatever its case, and none may be empty")
    return names


FacetNames = Annotated[list[Name], AfterValidator(_differ)]


class IncidentJson(Shape):
    """The incident itself."""

    key: Key = Field(description="What people call it, such as INC-7.")
    workspace: Id | None = Field(default=None, description="The id of the workspace in Slack.")
    title: Name = Field(description="The title.")
    severity: Literal["sev1", "sev2", "sev3", "sev4"] | None = Field(default=None, description="sev1 is the worst.")
    services: FacetNames = Field(default=[], description="The services that it struck.")
    tags: FacetNames = Field(default=[], description="Its tags.")
    status: Status = Field(description="Its state.")
    channel: ChannelJson = Field(description="The channel where people worked on it.")
    lead: PersonJson | None = Field(default=None, description="Who leads.")
    opened_by: PersonJson = Field(description="Who opened it.")
    opened_at: Moment = Field(description="When it was opened, in UTC.")
    started_at: Moment | None = Field(
        default=None,
        description=f"When the impact began, else when it was noticed, else the first entry, in UTC. {FOLLOWS}",
    )
    resolved_at: Moment | None = Field(default=None, description="When it was over, in UTC; null until then.")
    resolved_by: PersonJson | None = Field(default=None, description="Who resolved it.")
    duration: Seconds | None = Field(default=None, description=f"Seconds from start to resolution. {FOLLOWS}")
    milestones: dict[Milestone, Moment | None] = Field(
        default={}, description=f"When each was reached, in UTC; null if it was not. {FOLLOWS}"
    )
    people: list[PersonJson] = Field(default=[], description=f"Everyone named in the record, in that order. {FOLLOWS}")
    postmortem: PostmortemJson = Field(
        default=PostmortemJson(), description="Its postmortem: open, published or waived."
    )


class MetricsJson(Shape):
    """The lengths that people compare; null if a time is missing or the times contradict each other."""

    time_to_detect: Seconds | None = Field(default=None, description="Seconds from impact_started to detected.")
    time_to_acknowledge: Seconds | None = Field(default=None, description="Seconds from detected to acknowledged.")
    time_to_mitigate: Seconds | None = Field(default=None, description="Seconds from impact_started to mitigated.")
    time_to_resolve: Seconds | None = Field(default=None, description="Seconds from impact_started to resolved.")
    postmortem_age: Seconds | None = Field(
        default=None,
        description="Seconds from resolved until it was published, or until generated_at while it is open.",
    )


class FileHeadJson(BaseModel):
    """The properties by which a file is recognized."""

    model_config = ConfigDict(strict=True, frozen=True)
    format: str | None = None
    version: int | None = None


class PostmortemFile(Shape):
    """The whole record of one incident, as Afterword exports and imports it.

    Times are ISO 8601 in UTC with Z, with microseconds if there are any; lengths are seconds; unknown values are
    null. Only the due day of an action is in a person's own time zone.
    """

    format: Literal["afterword.postmortem"] = Field(description=f"Always {FORMAT}.")
    version: Literal[1] = Field(description=f"The version of the format: {VERSION}. New properties don't change it.")
    generated_at: Moment = Field(description="The moment of the export, in UTC.")
    incident: IncidentJson = Field(description="The incident, its people and its milestones.")
    metrics: MetricsJson = Field(default=MetricsJson(), description=f"The lengths that people compare. {FOLLOWS}")
    timeline: list[EntryJson] = Field(description="The entries, by happened_at, then by number.")
    whys: list[WhyJson] = Field(
        default=[],
        description="The five whys, without removed ones; each is followed by those that explain it, by number.",
    )
    sections: dict[Slug, SectionJson] = Field(
        default={}, description="The 14 sections by their slugs, and those of the incident's form."
    )
    actions: list[ActionJson] = Field(default=[], description="The corrective actions, by number.")
    kept: list[EditedTextJson] = Field(
        default=[], description="All texts from imported drafts, by section and version."
    )
    audit: list[AuditLineJson] = Field(default=[], description="Who changed what, in the order of time.")
    struck: Struck = Field(default=Struck(), description="What was removed.")
    likenesses: list[LikenessJson] = Field(default=[], description="Verdicts on past incidents, by their numbers.")


class _Untitled(GenerateJsonSchema):
    """Leaves out titles, which only repeat the names of the properties."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> Mapping[str, Any]:
    """The JSON Schema (draft 2020-12) of the format: docs/postmortem.schema.json holds exactly this."""
    schema = PostmortemFile.model_json_schema(schema_generator=_Untitled)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}
