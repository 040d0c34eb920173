"""Mail: one message at a time to the server that the installation names."""

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from sop_server.errors import BusyError

_SECONDS = 20.0
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends plain text as `sender`; links in it begin with `public_url`, never with what a request calls this server.

    `url` is `smtp://[user:password@]host[:port]`, with TLS where the server offers it and always where a password is
    sent, or `smtps://…` with TLS from the beginning.
    """

    url: str = field(repr=False)
    sender: str
    public_url: str
    library_name: str

    def send(self, *, to: str, subject: str, text: str, now: datetime) -> None:
        """Hand one message over; raises BusyError, which names no secret, where the server did not take it."""
        message = self._message(to=to, subject=subject, text=text, now=now)
        server = urlsplit(self.url)
        try:
            with self._connect(server) as connection:
                connection.send_message(message)
        except ssl.SSLCertVerificationError as exc:
            raise BusyError(
                f"The mail server {server.hostname} showed a certificate that proves nothing ({exc.verify_message}), "
                "so nothing was sent to it. It is tried again by itself; have the certificate mended, or name its "
                "authority in SSL_CERT_FILE."
            ) from exc
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            raise BusyError(
                f"The mail server {server.hostname} did not take a message ({type(exc).__name__}). "
                "It is tried again by itself; look at SOP_SMTP_URL if it stays so."
            ) from exc

    def address(self, path: str) -> str:
        """Return where a browser finds a page of this server."""
        return f"{self.public_url.rstrip('/')}{path}"

    def _connect(self, server: SplitResult) -> smtplib.SMTP:
        host, port = server.hostname or "", server.port or _PORTS[server.scheme]
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=_SECONDS, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(host, port, timeout=_SECONDS)
        try:
            connection.ehlo()
            if server.scheme == "smtp" and (server.username or connection.has_extn("starttls")):
                connection.starttls(context=ssl.create_default_context())
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
        except BaseException:
            connection.close()
            raise
        return connection

    def _message(self, *, to: str, subject: str, text: str, now: datetime) -> EmailMessage:
        message = EmailMessage()
        # A name with a line's end in it would begin a header of its own.
        message["From"] = formataddr((" ".join(self.library_name.split()), self.sender))
        message["To"] = to
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(now)
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message
