"""Electronic signatures: what is sent to sign with, and what is shown of one."""

from typing import Annotated

from pydantic import Field

from sop_server.api.schemas.base import Input, Instant, Output, ShortText


class Sign(Input):
    """The password of the person whose token it is, or else a code of their phone, in the very call that decides.

    Required where a department asks for signatures: without it the call answers 422, with a wrong one 403, and after
    too many wrong ones 403 for a while. A token alone never signs, and a code is taken once.
    """

    password: Annotated[str, Field(max_length=1_024, repr=False)] = ""
    code: Annotated[ShortText, Field(repr=False)] = ""


class Signature(Output):
    """How somebody signed: the name printed at that time, what they declared, when, and of which text."""

    name: str
    signed_with: str
    meaning: str
    at: Instant
    content_hash: str
