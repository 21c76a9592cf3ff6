"""The 14 sections of a postmortem, in their order, each with the question that helps to fill it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the document: `slug` names it in the record and in exports, its writer is asked the `question`."""

    slug: str
    title: str
    question: str


SECTIONS = (
    Section("summary", "Incident summary", "In three sentences: what broke, for whom, and what made it stop?"),
    Section("leadup", "Leadup", "What changed beforehand, even days earlier, that set this up?"),
    Section("fault", "Fault", "What did the system do, and what should it have done instead?"),
    Section("impact", "Impact", "Who felt it, how many, for how long, and what could they not do?"),
    Section("detection", "Detection", "What told us first, and what would have told us in half the time?"),
    Section("response", "Response", "Who came, how soon, and what slowed them down?"),
    Section("recovery", "Recovery", "Which step made it better, and how did we know that it was over?"),
    Section("timeline", "Timeline", "Is anything that happened still missing from the timeline?"),
    Section("whys", "Five whys", "Why did it happen, and why did that happen in turn?"),
    Section("root_cause", "Root cause", "Which one thing, had it been different, would prevent this whole class?"),
    Section("backlog_check", "Backlog check", "Did planned or parked work exist that would have helped?"),
    Section("recurrence", "Recurrence", "Has this cause struck before, and why was what we did then not enough?"),
    Section(
        "lessons", "Lessons learned", "What went well, where were we lucky, and what was harder than it should be?"
    ),
    Section("actions", "Corrective actions", "Who does what, by when, so that this does not come back?"),
)

BY_SLUG = {section.slug: section for section in SECTIONS}


def title_of(slug: str) -> str:
    """What people call a section; one that only a team's own template has goes by the words of its slug."""
    return BY_SLUG[slug].title if slug in BY_SLUG else slug.replace("_", " ").capitalize()
