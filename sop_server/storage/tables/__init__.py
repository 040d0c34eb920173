"""The tables, by family. Importing this package makes all of them known to the metadata."""

from sop_server.storage.tables.base import Table
from sop_server.storage.tables.break_glass import BrokenGlass
from sop_server.storage.tables.deviations import Deviation, DeviationWording
from sop_server.storage.tables.leaving import Departure, DepartureGap, DraftKeeper, HandOver
from sop_server.storage.tables.library import (
    Approval,
    Draft,
    DraftCommit,
    DraftTicket,
    ImportedFile,
    PublishIntent,
    Quarantine,
    Revision,
    RevisionLink,
    RevisionTicket,
    Sop,
)
from sop_server.storage.tables.operations import AuditEvent, Counter, Finding, Mark, OutboxItem
from sop_server.storage.tables.participation import Acknowledgement, Feedback, MissedSearch, Review
from sop_server.storage.tables.people import (
    ApiToken,
    Department,
    DepartmentSetting,
    GrantEnd,
    Membership,
    Person,
    PersonState,
    Pin,
    RoleGrant,
    SignInFailure,
    SignInLink,
    Team,
    WebSession,
)
from sop_server.storage.tables.privacy import PersonKey
from sop_server.storage.tables.provider import ProvidedMembership, ProvidedRole, ProviderLink
from sop_server.storage.tables.recertification import Recertification, RecertificationAsked, RecertificationItem
from sop_server.storage.tables.second_factor import RecoveryCode, TotpKey
from sop_server.storage.tables.tickets import (
    GoLiveConfirmation,
    NotNeeded,
    Obligation,
    Process,
    ProcessVersion,
    Ticket,
    TicketVersion,
)

__all__ = [
    "Acknowledgement",
    "ApiToken",
    "Approval",
    "AuditEvent",
    "BrokenGlass",
    "Counter",
    "Department",
    "DepartmentSetting",
    "Departure",
    "DepartureGap",
    "Deviation",
    "DeviationWording",
    "Draft",
    "DraftCommit",
    "DraftKeeper",
    "DraftTicket",
    "Feedback",
    "Finding",
    "GoLiveConfirmation",
    "GrantEnd",
    "HandOver",
    "ImportedFile",
    "Mark",
    "Membership",
    "MissedSearch",
    "NotNeeded",
    "Obligation",
    "OutboxItem",
    "Person",
    "PersonKey",
    "PersonState",
    "Pin",
    "Process",
    "ProcessVersion",
    "ProvidedMembership",
    "ProvidedRole",
    "ProviderLink",
    "PublishIntent",
    "Quarantine",
    "Recertification",
    "RecertificationAsked",
    "RecertificationItem",
    "RecoveryCode",
    "Review",
    "Revision",
    "RevisionLink",
    "RevisionTicket",
    "RoleGrant",
    "SignInFailure",
    "SignInLink",
    "Sop",
    "Table",
    "Team",
    "Ticket",
    "TicketVersion",
    "TotpKey",
    "WebSession",
]
