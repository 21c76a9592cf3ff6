"""The tables, declared once. Rows never leave storage: callers get the frozen records of `bot.incident.records`."""

from storage.tables.alerts import AlertEndRow, AlertEventRow, AlertRow, AlertStormRow
from storage.tables.columns import metadata, table_of
from storage.tables.copies import CopyRow
from storage.tables.drafts import KeptRegionRow
from storage.tables.history import AuditRow, LikenessRow, RecallRow
from storage.tables.outside import LINK_OWED, AccountRow, LinkRow
from storage.tables.owed import (
    DELIVERY_WAITING,
    LOOKBACK_GOING,
    REMINDER_PENDING,
    DeliveryRow,
    InboxRow,
    LookbackRow,
    ReminderRow,
)
from storage.tables.record import (
    ACTION_OPEN,
    ATTACHMENT_WANTED,
    ENTRY_CAPTURED,
    INCIDENT_UNRESOLVED,
    ActionRow,
    AttachmentRow,
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    PersonRow,
    SectionRow,
    WhyActionRow,
    WhyRow,
    WhyVersionRow,
    WorkspaceRow,
)
from storage.tables.tabs import TabRow

__all__ = [
    "ACTION_OPEN",
    "ATTACHMENT_WANTED",
    "DELIVERY_WAITING",
    "ENTRY_CAPTURED",
    "INCIDENT_UNRESOLVED",
    "LINK_OWED",
    "LOOKBACK_GOING",
    "REMINDER_PENDING",
    "AccountRow",
    "ActionRow",
    "AlertEndRow",
    "AlertEventRow",
    "AlertRow",
    "AlertStormRow",
    "AttachmentRow",
    "AuditRow",
    "CopyRow",
    "DeliveryRow",
    "EntryRow",
    "EntryVersionRow",
    "InboxRow",
    "IncidentRow",
    "KeptRegionRow",
    "LikenessRow",
    "LinkRow",
    "LookbackRow",
    "PersonRow",
    "RecallRow",
    "ReminderRow",
    "SectionRow",
    "TabRow",
    "WhyActionRow",
    "WhyRow",
    "WhyVersionRow",
    "WorkspaceRow",
    "metadata",
    "table_of",
]
