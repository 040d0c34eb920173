"""Texts of SOPs that the tests of the pages publish."""


def sop_text(
    title: str = "Refunds over 500 USD",
    *,
    department: str = "customer-care",
    audience: str = "customer-care-tier2",
    owner: str = "asha@example.com",
    body: str = "## Steps\n\n1. Open the order.\n2. Refund up to 500 USD.\n",
    front: str = "",
) -> str:
    """Return the file of a SOP; `front` are more lines of its front matter."""
    return (
        f"---\ntitle: {title}\ndepartment: {department}\nowner: {owner}\naudience: [{audience}]\n{front}---\n\n{body}"
    )
