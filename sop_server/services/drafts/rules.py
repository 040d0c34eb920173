"""What departments ask of a decision on a draft: so many approvers, signatures, and whether one may publish alone."""

from collections.abc import Sequence
from datetime import datetime

from sop_server.domain.drafts import ApprovalRule
from sop_server.domain.signatures import Signature
from sop_server.errors import ConflictError
from sop_server.storage import drafts
from sop_server.storage.database import Session


def rule_of(session: Session, departments: Sequence[str | None], *, now: datetime) -> ApprovalRule:
    """Return what a draft that touches these departments needs."""
    rules = drafts.department_rules(session, departments, at=now)
    return ApprovalRule(
        needed=max([1, *(rule.approvals_needed for rule in rules)]),
        departments=tuple(departments),
        signature=any(rule.signature for rule in rules),
        break_glass=all(rule.break_glass for rule in rules),
    )


def require_signature(rule: ApprovalRule, signature: Signature | None) -> None:
    """Raise ConflictError where a department began to ask for signatures a moment ago."""
    if rule.signature and signature is None:
        raise ConflictError("The department asks for signatures since a moment ago. Nothing was decided; decide again.")
