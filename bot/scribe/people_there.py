"""Who somebody of ours is among the people of a Jira."""

from collections.abc import Awaitable, Callable

from bot.publish.jira import Jira

Emails = Callable[[str], Awaitable[str]]
"""The e-mail address of a Slack user id; empty where Slack does not tell."""


async def account_of(jira: Jira, project: str, emails: Emails, user: str, chosen: str) -> str:
    """The account that was chosen for a Slack user, else the one their e-mail address finds; empty for nobody.

    What was chosen may be an e-mail address itself. A user group has no account. Raises PublishError.
    """
    if chosen and "@" not in chosen:
        return chosen
    if not user.startswith(("U", "W")):
        return ""
    found = await jira.assignee_for(project, chosen or await emails(user))
    return found.id if found else ""
