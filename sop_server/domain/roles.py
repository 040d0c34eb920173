"""Roles as people write them: `approver@payments` for one department, `approver` for all."""

from sop_server.domain.identifiers import MAX_SLUG, is_slug
from sop_server.domain.permissions import Grant, Role
from sop_server.errors import InvalidInputError


def parse_grant(text: str) -> Grant:
    """Return the grant that `R[@DEPARTMENT]` names; raises InvalidInputError naming the roles there are."""
    role_text, at, department = text.strip().lower().partition("@")
    try:
        role = Role(role_text)
    except ValueError as error:
        roles = ", ".join(role.value for role in Role)
        raise InvalidInputError(
            f"There is no role “{role_text}”. The roles are {roles}; write a role as “editor” for all "
            "departments or as “editor@payments” for one.",
            fields={"roles": f"must be one of {roles}"},
        ) from error
    if not at:
        return Grant(role, None)
    return Grant(role, clean_slug(department, what="department", field="roles"))


def format_grant(grant: Grant) -> str:
    """Return a grant as `parse_grant` reads it."""
    return grant.role.value if grant.department is None else f"{grant.role.value}@{grant.department}"


def clean_slug(text: str, *, what: str, field: str) -> str:
    """Return the slug of a department or a team; raises InvalidInputError where it is none."""
    slug = text.strip().lower()
    if not is_slug(slug) or len(slug) > MAX_SLUG:
        raise InvalidInputError(
            f"“{text}” cannot name a {what}. Use lower-case letters, digits and hyphens, such as “customer-care”.",
            fields={field: "lower-case letters, digits and hyphens"},
        )
    return slug
