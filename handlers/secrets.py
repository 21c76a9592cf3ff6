"""The buttons below the warning of what looks like a credential."""

from bot.services import secrets as secrets_service
from bot.slack.views.secrets import read_locations, read_subject
from handlers.boundary import HandlerTable

HANDLERS = HandlerTable(
    clicks={
        "secret_redact": lambda b, c: secrets_service.redact(b.services, c.request, read_subject(c.value)),
        "secret_redact_files": lambda b, c: secrets_service.redact(
            b.services, c.request, read_subject(c.value), with_files=True
        ),
        # Next to another incident that holds the same.
        "secret_redact_there": lambda b, c: secrets_service.redact_elsewhere(
            b.services, c.request, read_locations(c.value)
        ),
        "secret_harmless": lambda b, c: secrets_service.dismiss_warning(b.services, c.request, read_subject(c.value)),
    }
)
