"""Who somebody of ours is among the people of a Jira, and so everywhere at Atlassian."""

import json
from collections.abc import Awaitable, Callable

from bot.incident.records import Incident
from bot.publish.jira import Jira
from storage import accounts, link_lists
from storage.statements import Transaction

Emails = Callable[[str], Awaitable[str]]
"""The e-mail address of a Slack user id; empty where Slack does not tell."""
ACCOUNTS = "accounts"
"""In the memo of a link of Jira's: the accounts that people were found to have, by their ids in Slack."""


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


def known_accounts(tx: Transaction, incident: Incident) -> dict[str, str]:
    """The accounts that are known of Slack users without asking, by their ids; those that were chosen win."""
    found: dict[str, str] = {}
    for link in link_lists.of_incident(tx, incident.id):
        if link.system in ("jira", "jsm"):
            found |= json.loads(link.memo or "{}").get(ACCOUNTS, {})
    chosen = accounts.chosen(tx, incident.team, "jira")
    return found | {user: account for user, account in chosen.items() if "@" not in account}
