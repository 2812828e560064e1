"""One adapter per kind of account: it carries one text and tells what came of it.

An adapter knows its provider's wire and nothing of bulletins. What it raises decides:
`OSError`, the provider is closed for now; `RefusedTextError`, this one text never
leaves. Nothing here logs a key, an address or a text.
"""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.core.mail import EmailMessage

from nguon.providers import signatures
from nguon.providers.accounts import CALL_HTTP, SMS_HTTP, SMTP, WEBHOOK, Account

SECONDS = 10.0
LONGEST_ANSWER = 64 * 1024
ZALO_API = "https://openapi.zalo.me"
ZALO_OAUTH = "https://oauth.zaloapp.com"
# A pass of the provider's lives an hour; it is renewed before it ends.
RENEW_BEFORE = timedelta(minutes=5)


class RefusedTextError(Exception):
    """The provider is there and will never take this; `cause` is a code."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Message:
    """One text for one address, or for an account's followers (no address)."""

    reference: str
    address: str
    title: str
    text: str
    link: str
    parts: int = 1


@dataclass(frozen=True)
class Receipt:
    """What the provider said: its own number, and the cost in đồng if it told."""

    reference: str = ""
    cost_dong: int | None = None


@dataclass(frozen=True)
class Pass:
    """The right to speak for an account until a moment, and what renews it."""

    access: str
    renewal: str
    ends_at: datetime


def send(account: Account, message: Message, *, access: str = "") -> Receipt:
    """Carry one message by its account; `access` is a pass where one is needed.

    Raises OSError, RefusedTextError.
    """
    if account.kind == WEBHOOK:
        return _send_webhook(account, message)
    if account.kind == SMTP:
        return _send_mail(message)
    if account.kind in (SMS_HTTP, CALL_HTTP):
        return _ask_gateway(account, message)
    return _post_on_zalo(account, message, access)


def _ask(
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Post something and return the answer's object; a redirect is not followed.

    Raises OSError when the provider is closed, RefusedTextError.
    """
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            answer = client.post(url, headers=headers, content=content, data=data)
    except httpx.HTTPError as error:
        raise ConnectionError(type(error).__name__) from error
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        raise ConnectionError(f"HTTP {answer.status_code}")
    if answer.status_code in (401, 403):
        raise RefusedTextError("token_refused")
    if answer.status_code == 402:
        raise RefusedTextError("money")
    if answer.status_code >= 300:
        raise RefusedTextError("text_refused")
    if len(answer.content) > LONGEST_ANSWER:
        raise ConnectionError("answer too long")
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _send_webhook(account: Account, message: Message) -> Receipt:
    """Post the text as JSON, with an HMAC of the body that the receiver checks."""
    body = json.dumps(
        {
            "id": message.reference,
            "title": message.title,
            "text": message.text,
            "link": message.link,
        },
        ensure_ascii=False,
    ).encode()
    answer = _ask(
        account.options["url"],
        headers={
            "Content-Type": "application/json; charset=utf-8",
            signatures.HEADER: signatures.sign(account.options["secret"], body),
        },
        content=body,
    )
    return Receipt(str(answer.get("id", ""))[:200])


def _send_mail(message: Message) -> Receipt:
    """Send one mail through the server's own mail settings."""
    mail = EmailMessage(
        subject=message.title,
        body=f"{message.text}\n\n{message.link}",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.address],
        headers={"X-Nguon-Id": message.reference},
    )
    mail.send()
    return Receipt(message.reference, 0)


def _ask_gateway(account: Account, message: Message) -> Receipt:
    """Ask a gateway for one text message, or for a call that reads the text aloud.

    The reference goes along, so that a gateway knows a second asking for what it is.
    """
    body = {
        "to": message.address,
        "text": message.text,
        "from": account.options.get("sender", ""),
        "reference": message.reference,
    }
    answer = _ask(
        account.options["url"],
        headers={
            "Authorization": f"Bearer {account.options['token']}",
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": message.reference,
        },
        content=json.dumps(body, ensure_ascii=False).encode(),
    )
    status = str(answer.get("status", "ok")).lower()
    if status in ("invalid", "rejected", "blocked"):
        raise RefusedTextError("address_refused")
    cost = answer.get("cost")
    told = cost if isinstance(cost, int) and 0 <= cost < 1_000_000 else None
    return Receipt(
        str(answer.get("id", ""))[:200],
        account.price_dong * message.parts if told is None else told,
    )


def _post_on_zalo(account: Account, message: Message, access: str) -> Receipt:
    """Publish an article on an Official Account, shown to its followers.

    Source: Zalo Official Account Open API, article (v2.0).
    """
    article: dict[str, Any] = {
        "type": "normal",
        "title": message.title[:150],
        "author": account.label[:50],
        "description": message.text[:300],
        "body": [{"type": "text", "content": _as_html(message.text)}],
        "tracking_link": message.link,
        "status": "show",
        "comment": "hide",
    }
    if account.options.get("cover"):
        article["cover"] = {
            "cover_type": "photo",
            "photo_url": account.options["cover"],
            "status": "show",
        }
    answer = _ask(
        account.options.get("api", ZALO_API) + "/v2.0/article/create",
        headers={"access_token": access, "Content-Type": "application/json"},
        content=json.dumps(article, ensure_ascii=False).encode(),
    )
    _check_zalo(answer)
    data = answer.get("data")
    token = data.get("token", "") if isinstance(data, dict) else ""
    return Receipt(str(token)[:200], 0)


def _as_html(text: str) -> str:
    """Return a text as the article's body reads it: nothing in it is a tag."""
    return html.escape(text).replace("\n", "<br>")


def renew(account: Account, renewal: str, *, at: datetime) -> Pass:
    """Get a new pass for an account; the renewal key that was used is spent.

    Source: Zalo OAuth (v4). Raises OSError, RefusedTextError `token_refused`.
    """
    answer = _ask(
        account.options.get("oauth", ZALO_OAUTH) + "/v4/oa/access_token",
        headers={"secret_key": account.options["secret"]},
        data={
            "refresh_token": renewal,
            "app_id": account.options["app_id"],
            "grant_type": "refresh_token",
        },
    )
    access, new = answer.get("access_token"), answer.get("refresh_token")
    if not access or not new:
        raise RefusedTextError("token_refused")
    seconds = int(str(answer.get("expires_in", "3600")))
    return Pass(str(access), str(new), at + timedelta(seconds=seconds))


def _check_zalo(answer: Mapping[str, Any]) -> None:
    """Read Zalo's own error number; HTTP says 200 even when it failed.

    Raises OSError, RefusedTextError.
    """
    error = answer.get("error", 0)
    if error == 0:
        return
    # -216 and -220: access token invalid or ended; -32: too many calls at once.
    if error in (-216, -220, -124):
        raise RefusedTextError("token_refused")
    if error in (-32, -200):
        raise ConnectionError(f"zalo {error}")
    raise RefusedTextError("text_refused")
