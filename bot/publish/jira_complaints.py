"""What Jira's refusals of an issue mean, and the remedy for each."""

from bot.publish.failures import PublishError
from bot.publish.jira_records import WorkItem

_UNSEEN = "appropriate screen"
_WANTED = "is required"


def explained(error: PublishError, item: WorkItem) -> PublishError:
    """The same error with a sentence that names the remedy, where the fields that Jira named tell it."""
    if remedy := _remedy(error.fields, item):
        error.reword(f"{error.system} {remedy}")
    return error


def _remedy(fields: dict[str, str], item: WorkItem) -> str:
    kind = f"{item.issue_type} in {item.project}"
    if "project" in fields:
        return f"has no project {item.project} that the account may create issues in. Look at the settings."
    if "issuetype" in fields:
        return f"has no issue type {item.issue_type} in {item.project}. Look at the settings."
    if "assignee" in fields:
        return _about_assignee(item)
    if unseen := [name for name, words in fields.items() if _UNSEEN in words]:
        return (
            f"does not show {_list(unseen)} on the form of {kind}. Put that on the project's screen, or take it out of "
            "the settings."
        )
    if wanted := [name for name, words in fields.items() if _WANTED in words]:
        return f"wants {_list(wanted)} filled in for {kind}. Give each a value in the settings."
    return ""


def _about_assignee(item: WorkItem) -> str:
    if item.assignee:
        return (
            f"does not let that person be assigned in {item.project}: the account is not active any more, or has no "
            "permission there. Give the action to somebody else, or assign it in Jira."
        )
    return (
        f"wants an assignee for everything in {item.project}. Give the action an owner whom Jira knows, or allow "
        "unassigned issues in Jira's general settings."
    )


def _list(names: list[str]) -> str:
    return ", ".join(sorted(names))
