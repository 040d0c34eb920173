"""Coming in by a one-time link: the link is used up, and the person has a password of their own from then on."""

from datetime import datetime

from sop_server.domain.doers import System
from sop_server.domain.people import clean_password
from sop_server.services.accounts.passwords import good_password, set_password
from sop_server.services.accounts.sign_in import token_hash, use_sign_in_link
from sop_server.services.stores import Stores
from sop_server.storage import credentials

_LINK = System("sign-in link")


def sign_in_by_link(
    stores: Stores, *, token: str, password: str, now: datetime, address: str = "", user_agent: str = ""
) -> str:
    """Use a link up, give its person this password and open a session; returns the token for the cookie.

    The link proves who comes, so no former password is asked for. Raises InvalidInputError where the password is too
    short or guessed soon (the link stays good), NotSignedInError where the link was used already or has expired.
    """
    with stores.database.read() as session:
        holder = credentials.link_holder(session, token_hash(token), now=now)
    clean = (
        clean_password(password)
        if holder is None
        else good_password(stores, password, name=holder.name, email=holder.email)
    )
    opened = use_sign_in_link(stores, token=token, now=now, address=address, user_agent=user_agent)
    if holder is not None:
        set_password(stores, actor=_LINK, now=now, email=holder.email, password=clean, keep_session=token_hash(opened))
    return opened
