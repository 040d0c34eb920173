"""What departments ask of a decision on a draft: so many approvers, signatures, and whether one may publish alone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sop_server.domain.drafts import ApprovalRule
from sop_server.domain.signatures import Signature
from sop_server.errors import ConflictError
from sop_server.storage import drafts, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import DepartmentSetting, Draft


def rule_of(session: Session, departments: Sequence[str | None], *, now: datetime) -> ApprovalRule:
    """Return what a draft that touches these departments needs."""
    return _rule(drafts.department_rules(session, departments, at=now), departments)


def rules_of(session: Session, rows: Collection[Draft], *, now: datetime) -> Mapping[int, ApprovalRule]:
    """Return what each draft needs, by its number: two queries however many they are.

    The departments are those of the revision in force and, on a move, of the draft.
    """
    governing = sops.departments_of(session, {row.sop_id for row in rows if row.base_revision is not None}, now)
    touched = {
        row.id: [row.department]
        if row.base_revision is None
        else list(dict.fromkeys([governing.get(row.sop_id), row.department]))
        for row in rows
    }
    said = drafts.department_rules(session, {one for several in touched.values() for one in several}, at=now)
    return {
        number: _rule([one for one in said if one.department in departments], departments)
        for number, departments in touched.items()
    }


def _rule(said: Sequence[DepartmentSetting], departments: Sequence[str | None]) -> ApprovalRule:
    return ApprovalRule(
        needed=max([1, *(one.approvals_needed for one in said)]),
        departments=tuple(departments),
        signature=any(one.signature for one in said),
        break_glass=all(one.break_glass for one in said),
    )


def require_signature(rule: ApprovalRule, signature: Signature | None) -> None:
    """Raise ConflictError where a department began to ask for signatures a moment ago."""
    if rule.signature and signature is None:
        raise ConflictError("The department asks for signatures since a moment ago. Nothing was decided; decide again.")
