"""What the JSON form looks like, once: from here come the published schema and the check of what is imported."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

from bot.export.json_form import FORMAT, VERSION
from bot.export.json_parts import (
    FOLLOWS,
    Action,
    Deed,
    Entry,
    Id,
    Kept,
    Key,
    Likeness,
    Moment,
    Name,
    Seconds,
    Section,
    Shape,
    Struck,
    Text,
    Who,
    Why,
)
from bot.incident.records import Milestone, PostmortemStatus, Status
from bot.incident.sections import BY_SLUG


def _known_slugs(parts: dict[str, Section]) -> dict[str, Section]:
    for slug in parts:
        if slug not in BY_SLUG:
            msg = f"there is no section {slug[:40]!r}; there are {', '.join(BY_SLUG)}"
            raise ValueError(msg)
    return parts


class Channel(Shape):
    """The channel of the incident."""

    id: Id = Field(description="The id in Slack.")
    name: Name | None = Field(default=None, description="The name without #; null where it is not known.")


class Postmortem(Shape):
    """Where the document stands."""

    status: PostmortemStatus = Field(default=PostmortemStatus.OPEN, description="Where it stands.")
    reason: Text | None = Field(default=None, description="Why it was waived.")
    owner: Who | None = Field(default=None, description="Who owes it.")
    published_at: Moment | None = Field(default=None, description="When it was published, in UTC.")


class Incident(Shape):
    """The incident itself."""

    key: Key = Field(description="How people name it, such as INC-7.")
    workspace: Id | None = Field(default=None, description="The id of the workspace in Slack.")
    title: Name = Field(description="What it is called.")
    severity: Literal["sev1", "sev2", "sev3", "sev4"] | None = Field(default=None, description="sev1 is the worst.")
    status: Status = Field(description="Where it stands.")
    channel: Channel = Field(description="Where it was worked on.")
    lead: Who | None = Field(default=None, description="Who leads.")
    opened_by: Who = Field(description="Who opened it.")
    opened_at: Moment = Field(description="When it was opened, in UTC.")
    started_at: Moment | None = Field(
        default=None,
        description=f"When the impact began, else when it was noticed, else the first entry, in UTC. {FOLLOWS}",
    )
    resolved_at: Moment | None = Field(default=None, description="When it was over, in UTC; null while it is not.")
    resolved_by: Who | None = Field(default=None, description="Who resolved it.")
    duration: Seconds | None = Field(default=None, description=f"Seconds from start to resolution. {FOLLOWS}")
    milestones: dict[Milestone, Moment | None] = Field(
        default={}, description=f"When each was reached, in UTC; null where it was not. {FOLLOWS}"
    )
    people: list[Who] = Field(
        default=[], description=f"Everybody who is named anywhere, in the order in which they are. {FOLLOWS}"
    )
    postmortem: Postmortem = Field(default=Postmortem(), description="Its document: owed, published or waived.")


class Metrics(Shape):
    """The spans that people compare; null where a time is missing or the times contradict each other."""

    time_to_detect: Seconds | None = Field(default=None, description="Seconds from impact_started to detected.")
    time_to_acknowledge: Seconds | None = Field(default=None, description="Seconds from detected to acknowledged.")
    time_to_mitigate: Seconds | None = Field(default=None, description="Seconds from impact_started to mitigated.")
    time_to_resolve: Seconds | None = Field(default=None, description="Seconds from impact_started to resolved.")
    postmortem_age: Seconds | None = Field(
        default=None, description="Seconds from resolved until it was published, or until generated_at while owed."
    )


class Head(BaseModel):
    """By what a file says which form it has."""

    model_config = ConfigDict(strict=True, frozen=True)
    format: str | None = None
    version: int | None = None


class PostmortemFile(Shape):
    """The whole record of one incident, as Afterword exports and imports it.

    Times are ISO 8601 in UTC with Z, with microseconds where there are any; spans are seconds; what is not known is
    null. Nothing here is in a person's own time zone but the due day of an action.
    """

    format: Literal["afterword.postmortem"] = Field(description=f"Always {FORMAT}.")
    version: Literal[1] = Field(description=f"The version of this form: {VERSION}. New properties do not change it.")
    generated_at: Moment = Field(description="The moment as of which everything is told, in UTC.")
    incident: Incident = Field(description="What it is and how it stands.")
    metrics: Metrics = Field(default=Metrics(), description=f"The spans that people compare. {FOLLOWS}")
    timeline: list[Entry] = Field(description="What stands in the timeline, by happened_at, then by number.")
    whys: list[Why] = Field(
        default=[], description="The five whys that stand: each is followed by those that explain it, by number."
    )
    sections: Annotated[dict[str, Section], AfterValidator(_known_slugs)] = Field(
        default={},
        description="The sections by their slugs.",
        json_schema_extra={"propertyNames": {"enum": list(BY_SLUG)}},
    )
    actions: list[Action] = Field(default=[], description="The corrective actions, by number.")
    kept: list[Kept] = Field(
        default=[], description="What came back in edited drafts, every text of it, by section and version."
    )
    audit: list[Deed] = Field(default=[], description="Who changed what, in the order of time.")
    struck: Struck = Field(default=Struck(), description="What was taken back.")
    likenesses: list[Likeness] = Field(default=[], description="What was said of past incidents, by their numbers.")


class _Untitled(GenerateJsonSchema):
    """Without the titles that only repeat the names of the properties."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> Mapping[str, Any]:
    """The JSON Schema (draft 2020-12) of the form: docs/postmortem.schema.json holds exactly this."""
    schema = PostmortemFile.model_json_schema(schema_generator=_Untitled)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}
