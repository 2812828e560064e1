"""Every change to people: officers, roles, deputies, absences, notices."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.people import access
from nguon.people.channels import CHANNELS
from nguon.people.models import (
    ADMINISTRATOR,
    ROLES,
    Absence,
    Deputy,
    Notice,
    NoticeDelivery,
    Officer,
    Role,
)
from nguon.territory.models import Unit

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
MAX_TRIES = 8


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
    """Register an officer; `by` is None only for the first one, from the console.

    Raises ConflictError when the user name is taken.
    """
    if Officer.objects.filter(username__iexact=username).exists():
        raise ConflictError("people.username_taken", username=username)
    officer = Officer(
        username=username,
        full_name=full_name,
        email=email,
        phone=phone,
        is_superuser=is_superuser,
        created_at=at,
    )
    officer.set_password(password)
    officer.save(force_insert=True)
    audit.record("people.officer.created", target=officer, by=by, at=at)
    return officer


@transaction.atomic
def grant_role(
    *, officer: Officer, unit: Unit, kind: str, by: Officer | None, at: datetime
) -> Role:
    """Give an officer a role at a unit and below.

    `by` is None only from the console. Raises InvalidError for an unknown role,
    ConflictError when it is already held, and what `check_can` raises.
    """
    if kind not in ROLES:
        raise InvalidError("people.role_unknown", role=kind)
    if by is not None:
        access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
    held = Role.objects.filter(officer=officer, unit=unit, kind=kind)
    if held.filter(valid_to__isnull=True).exists():
        raise ConflictError("people.role_held", role=ROLES[kind])
    role = Role.objects.create(officer=officer, unit=unit, kind=kind, valid_from=at)
    audit.record("people.role.granted", target=role, by=by, at=at)
    return role


@transaction.atomic
def end_role(*, role_id: int, by: Officer, at: datetime) -> Role:
    """End a role now. Raises ConflictError when it has ended already."""
    role = Role.objects.select_for_update().get(pk=role_id)
    access.check_can(by, ADMINISTRATOR, unit=role.unit, at=at)
    if role.valid_to is not None:
        raise ConflictError("people.role_ended")
    role.valid_to = at
    role.save(update_fields=["valid_to"])
    audit.record("people.role.ended", target=role, by=by, at=at)
    return role


@transaction.atomic
def name_deputy(
    *,
    role_id: int,
    officer: Officer,
    from_at: datetime,
    to_at: datetime,
    by: Officer,
    at: datetime,
) -> Deputy:
    """Let somebody hold another's role for a while.

    Raises InvalidError for an empty period or one's own role.
    """
    role = Role.objects.select_for_update().get(pk=role_id)
    if by.pk != role.officer_id:
        access.check_can(by, ADMINISTRATOR, unit=role.unit, at=at)
    if to_at <= max(from_at, at):
        raise InvalidError("people.period_empty")
    if officer.pk == role.officer_id:
        raise InvalidError("people.own_deputy")
    deputy = Deputy.objects.create(
        role=role, officer=officer, from_at=from_at, to_at=to_at
    )
    audit.record("people.deputy.named", target=deputy, by=by, at=at)
    return deputy


@transaction.atomic
def announce_absence(
    *, officer: Officer, from_at: datetime, to_at: datetime, by: Officer, at: datetime
) -> Absence:
    """Say when an officer is away. Raises InvalidError for an empty period."""
    if by.pk != officer.pk:
        for unit in access.units_of(officer, at=at):
            access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
    if to_at <= max(from_at, at):
        raise InvalidError("people.period_empty")
    absence = Absence.objects.create(officer=officer, from_at=from_at, to_at=to_at)
    audit.record("people.absence.announced", target=absence, by=by, at=at)
    return absence


def notify(
    *, officers: Iterable[Officer], subject: str, body: str, url: str, at: datetime
) -> list[Notice]:
    """Tell officers something: on screen now, by the channels that reach them soon.

    Call it inside the transaction of the change that it speaks of.
    """
    notices = Notice.objects.bulk_create(
        Notice(
            officer=officer, subject=subject[:200], body=body, url=url, created_at=at
        )
        for officer in {officer.pk: officer for officer in officers}.values()
    )
    NoticeDelivery.objects.bulk_create(
        NoticeDelivery(notice=notice, channel=channel.name)
        for notice in notices
        for channel in CHANNELS
        if channel.reaches(notice.officer)
    )
    return notices


def mark_read(*, officer: Officer, at: datetime) -> int:
    """Mark an officer's notices as read; return how many."""
    unread = Notice.objects.filter(officer=officer, read_at__isnull=True)
    return unread.update(read_at=at)


def deliver_notices(*, at: datetime, limit: int = 50) -> int:
    """Carry notices that wait, each claimed for two minutes; return how many left.

    A worker killed in between leaves a lease that ends, and the next one goes on:
    a mail may then come twice, but never not at all.
    """
    channels = {channel.name: channel for channel in CHANNELS}
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    waiting = NoticeDelivery.objects.filter(
        free, sent_at__isnull=True, failed_at__isnull=True
    )
    sent = 0
    for key in list(waiting.order_by("pk").values_list("pk", flat=True)[:limit]):
        claimed = waiting.filter(pk=key).update(
            lease_until=at + LEASE, tries=F("tries") + 1
        )
        if claimed != 1:
            continue
        delivery = NoticeDelivery.objects.select_related("notice__officer").get(pk=key)
        try:
            channels[delivery.channel].send(delivery.notice)
        except OSError:
            logger.exception("A notice could not be carried")
            if delivery.tries >= MAX_TRIES:
                NoticeDelivery.objects.filter(pk=key).update(failed_at=at)
            continue
        NoticeDelivery.objects.filter(pk=key).update(sent_at=at)
        sent += 1
    return sent
