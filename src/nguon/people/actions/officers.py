"""Every change to an officer's account. The clock and the writer are named."""

import re
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.people import access
from nguon.people.actions.receivers import forget_receivers
from nguon.people.actions.roles import grant_role
from nguon.people.models import ADMINISTRATOR, Officer
from nguon.territory import names
from nguon.territory.models import Unit

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
PHONE = re.compile(r"\+?[0-9 .()-]{6,20}")


@transaction.atomic
def create_officer(
    *,
    username: str,
    full_name: str,
    password: str,
    by: Officer | None,
    at: datetime,
    email: str = "",
    phone: str = "",
    is_superuser: bool = False,
) -> Officer:
    """Register an officer; `by` is None only from the console.

    Raises ConflictError when the user name is taken, InvalidError for a name,
    address, number or password that cannot be used, and NoRightError unless `by` is
    an administrator somewhere (and a superuser, to make another one).
    """
    username = username.strip().lower()
    full_name = " ".join(full_name.split())
    if by is not None:
        access.check_administrator(by, at=at)
        if is_superuser and not by.is_superuser:
            raise access.NoRightError(ADMINISTRATOR)
    if not USERNAME.fullmatch(username):
        raise InvalidError("people.username_unusable", username=username[:60])
    if not full_name or len(full_name) > 120:
        raise InvalidError("people.name_missing")
    if Officer.objects.filter(username__iexact=username).exists():
        raise ConflictError("people.username_taken", username=username)
    officer = Officer(
        username=username,
        full_name=full_name,
        folded=names.fold(f"{full_name} {username}")[:200],
        is_superuser=is_superuser,
        created_at=at,
        **_check_contact(email=email, phone=phone),
    )
    _set_password(officer, password)
    officer.save(force_insert=True)
    audit.record("people.officer.created", target=officer, by=by, at=at)
    return officer


@transaction.atomic
def register_officer(
    *,
    username: str,
    full_name: str,
    password: str,
    unit: Unit,
    kind: str,
    by: Officer,
    at: datetime,
    email: str = "",
    phone: str = "",
) -> Officer:
    """Create an officer together with a first role; both or neither.

    Raises what `create_officer` and `grant_role` raise.
    """
    access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
    officer = create_officer(
        username=username,
        full_name=full_name,
        password=password,
        email=email,
        phone=phone,
        by=by,
        at=at,
    )
    grant_role(officer=officer, unit=unit, kind=kind, by=by, at=at)
    return officer


@transaction.atomic
def change_contact(
    *, officer: Officer, email: str, phone: str, by: Officer, at: datetime
) -> Officer:
    """Change how an officer is reached; one's own, or as who manages the account.

    Raises InvalidError for an address or a number that cannot be one.
    """
    if by.pk != officer.pk:
        access.check_manages(by, officer, at=at)
    for field, value in _check_contact(email=email, phone=phone).items():
        setattr(officer, field, value)
    officer.save(update_fields=["email", "phone"])
    audit.record("people.contact.changed", target=officer, by=by, at=at)
    return officer


@transaction.atomic
def reset_password(
    *, officer: Officer, password: str, by: Officer, at: datetime
) -> None:
    """Give an officer a new password; whoever is signed in with the old one is out.

    One's own password is changed on the account page, where the old one is asked.
    Raises InvalidError for a weak one or one's own, and what `check_manages` raises.
    """
    access.check_manages(by, officer, at=at)
    if by.pk == officer.pk:
        raise InvalidError("people.own_password")
    _set_password(officer, password)
    officer.save(update_fields=["password"])
    audit.record("people.password.reset", target=officer, by=by, at=at)


@transaction.atomic
def lock_officer(*, officer: Officer, by: Officer, at: datetime) -> None:
    """Shut an account, at once and everywhere. Raises InvalidError for one's own."""
    access.check_manages(by, officer, at=at)
    if by.pk == officer.pk:
        raise InvalidError("people.own_account")
    _set_active(officer, before=True, after=False)
    forget_receivers(officer=officer, by=by, at=at)
    audit.record("people.officer.locked", target=officer, by=by, at=at)


@transaction.atomic
def unlock_officer(*, officer: Officer, by: Officer, at: datetime) -> None:
    """Open a shut account again."""
    access.check_manages(by, officer, at=at)
    _set_active(officer, before=False, after=True)
    audit.record("people.officer.unlocked", target=officer, by=by, at=at)


def _set_active(officer: Officer, *, before: bool, after: bool) -> None:
    rows = Officer.objects.filter(pk=officer.pk, is_active=before)
    if rows.update(is_active=after) != 1:
        raise ConflictError("people.account_changed")
    officer.is_active = after


def _set_password(officer: Officer, password: str) -> None:
    try:
        validate_password(password, officer)
    except ValidationError as error:
        raise InvalidError("people.password_weak") from error
    officer.set_password(password)


def _check_contact(*, email: str, phone: str) -> dict[str, str]:
    email, phone = email.strip(), phone.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise InvalidError("people.email_unusable", email=email[:80]) from error
    if len(email) > 254:
        raise InvalidError("people.email_unusable", email=email[:80])
    if phone and not PHONE.fullmatch(phone):
        raise InvalidError("people.phone_unusable", phone=phone[:20])
    return {"email": email, "phone": phone}
