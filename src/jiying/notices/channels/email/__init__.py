"""E-mail, by the mail server of `notices.yaml`.  The Message-ID stays the same over all attempts."""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail import EmailMessage, get_connection

from jiying.notices.channels import NotSent, Parcel, register


def send(parcel: Parcel, server: dict[str, Any], *, private: bool) -> None:
    """Hand one mail to the server.

    Raises:
        NotSent: refused, or not reached.
    """
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=server["host"],
        port=server.get("port", 25),
        username=server.get("user", ""),
        password=server.get("password", ""),
        use_tls=server.get("tls") == "starttls",
        use_ssl=server.get("tls") == "tls",
        timeout=server.get("timeout_s", 10),
    )
    headers = {"Message-ID": f"<{parcel.id}@jiying>", "Auto-Submitted": "auto-generated"}
    mail = EmailMessage(
        parcel.subject, parcel.text, server["from"], [parcel.to], connection=connection, headers=headers
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _why in error.recipients.values()]
        # 5xx is for good, 4xx for now; the answer's words may hold the address.
        raise NotSent(f"SMTP {codes[0]}", final=codes[0] >= 500) from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"SMTP {error.smtp_code}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(type(error).__name__) from error


register("email", send)
