"""From a release to other people's systems: laid out once, carried with a lease.

A killed worker leaves a lease that ends, and the next one goes on: a message may then
come twice (with the same reference, by which a provider knows it), never not at all.
"""

import logging
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from nguon.audit import actions as audit
from nguon.channels import rules
from nguon.channels.models import AccountToken, Contact, Delivery, Document
from nguon.core.errors import AbsentError, ConflictError
from nguon.newsroom import channels as kinds
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.models import VersionChannel
from nguon.people import access
from nguon.people.models import AUTHOR, Officer
from nguon.providers import accounts, adapters
from nguon.providers.accounts import Account
from nguon.schedule import rules as schedule_rules
from nguon.schedule.models import Broadcast

logger = logging.getLogger(__name__)


# --- laying out --------------------------------------------------------------------


def spread_released(*, at: datetime) -> int:
    """Lay out what releases asked for beside the speakers; return how many releases.

    A release is looked at once; one that cannot be laid out holds up no other.
    """
    asked = VersionChannel.objects.filter(version=OuterRef("version"), spread_at=None)
    released = Broadcast.objects.filter(
        Exists(asked), state=schedule_rules.APPROVED
    ).order_by("pk")
    done = 0
    for key in list(released.values_list("pk", flat=True)[: rules.AT_ONCE]):
        try:
            done += _spread(key, at=at)
        except Exception:
            logger.exception("broadcast #%s could not be laid out", key)
    return done


@transaction.atomic
def _spread(key: int, *, at: datetime) -> bool:
    found = Broadcast.objects.select_for_update(of=("self",))
    broadcast = found.select_related("unit", "version").get(pk=key)
    chosen = list(
        VersionChannel.objects.filter(version=broadcast.version, spread_at=None)
    )
    if broadcast.state != schedule_rules.APPROVED or not chosen:
        return False
    book = accounts.read()
    for asked in chosen:
        if asked.channel == kinds.DOCUMENT:
            _register_document(broadcast, asked.text, at=at)
        for account in book.values():
            if account.channel == asked.channel and _serves(account, broadcast):
                _lay_out(broadcast, asked, account, at=at)
    VersionChannel.objects.filter(pk__in=[one.pk for one in chosen]).update(
        spread_at=at
    )
    audit.record(
        "channels.broadcast.spread",
        target=broadcast,
        by=None,
        at=at,
        data={"channels": sorted(one.channel for one in chosen)},
    )
    return True


def _serves(account: Account, broadcast: Broadcast) -> bool:
    """Say whether an account speaks for the unit that issued a bulletin."""
    if not account.unit:
        return True
    return account.unit == broadcast.unit.uid


def _lay_out(
    broadcast: Broadcast, asked: VersionChannel, account: Account, *, at: datetime
) -> None:
    said = newsroom_rules.shown_text(asked.text, drill=broadcast.version.drill)
    parts = kinds.count_segments(said) if asked.channel == kinds.SMS else 1

    def row(contact: Contact | None, shown: str) -> Delivery:
        return Delivery(
            broadcast=broadcast,
            channel=asked.channel,
            account=account.name,
            contact=contact,
            to_contact=contact is not None,
            shown_address=shown,
            text=asked.text,
            parts=parts,
            created_at=at,
        )

    if account.to_contacts:
        rows = [
            row(contact, rules.mask(contact.kind, contact.address))
            for contact in _contacts(broadcast, account)
        ]
    else:
        rows = [row(None, account.label)]
    Delivery.objects.bulk_create(rows, batch_size=500)


def _contacts(broadcast: Broadcast, account: Account) -> list[Contact]:
    """Return the contacts in the books of the ground a bulletin is for, each once."""
    kind = rules.PHONE if account.channel == kinds.SMS else rules.EMAIL
    ground = Q(pk__in=[])
    for unit in broadcast.units.all():
        ground |= Q(unit__path__startswith=unit.path) | Q(unit=unit)
    # The commune's own book counts when only some of its villages are meant.
    ground |= Q(unit=broadcast.unit)
    rows = Contact.objects.filter(ground, kind=kind).order_by("pk")
    return list({row.address: row for row in rows}.values())


def _register_document(broadcast: Broadcast, abstract: str, *, at: datetime) -> None:
    """Give the bulletin the next number of its unit's register of this year."""
    year = at.astimezone(schedule_rules.LOCAL).year
    mine = Document.objects.filter(unit=broadcast.unit, year=year)
    latest = mine.aggregate(latest=Max("number"))["latest"] or 0
    Document.objects.create(
        unit=broadcast.unit,
        year=year,
        number=latest + 1,
        broadcast=broadcast,
        abstract=abstract,
        registered_at=at,
    )


def withdraw_cancelled(*, at: datetime) -> int:
    """Hold back what waits of broadcasts that were called off; return how many."""
    waiting = Delivery.objects.filter(
        state=rules.WAITING, broadcast__state=schedule_rules.CANCELLED
    )
    return waiting.update(state=rules.WITHDRAWN, ended_at=at, lease_until=None)


# --- carrying ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Outcome:
    state: str
    reference: str = ""
    cost_dong: int | None = None
    cause: str = ""


def deliver(*, at: datetime) -> int:
    """Carry what waits, side by side; return how many left.

    1. Claim: a lease, and a try counted.
    2. Ask the provider. One that is closed rests for a minute with all that waits for
       it; what it refuses is at an end, with its cause.
    3. Write down what came of it, cost and the provider's own number.
    """
    _give_up(at)
    keys = _waiting(at).order_by("pk").values_list("pk", flat=True)[: rules.AT_ONCE]
    book, claimed = accounts.read(), []
    for key in list(keys):
        free = _waiting(at).filter(pk=key)
        if free.update(lease_until=at + rules.LEASE, tries=F("tries") + 1) == 1:
            claimed.append(key)
    rows = list(
        Delivery.objects.filter(pk__in=claimed)
        .select_related("contact", "broadcast__version", "broadcast__unit")
        .order_by("pk")
    )
    carry = _Carrier(book, {row.account for row in rows}, at)
    with ThreadPoolExecutor(rules.LANES) as lanes:
        ends = list(lanes.map(carry, rows))
    return sum(
        _write_down(row, end, at=at) for row, end in zip(rows, ends, strict=True)
    )


def _waiting(at: datetime) -> QuerySet[Delivery]:
    """Return what still has to leave and no worker holds."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    return Delivery.objects.filter(free, state=rules.WAITING)


def _give_up(at: datetime) -> None:
    """End what is old news, and what was tried to no avail."""
    waiting = _waiting(at)
    old = waiting.filter(created_at__lt=at - rules.STALE)
    old.update(state=rules.FAILED, cause="stale", ended_at=at, lease_until=None)
    tried = waiting.filter(tries__gte=rules.MOST_TRIES)
    tried.update(state=rules.FAILED, cause="given_up", ended_at=at, lease_until=None)


class _Carrier:
    """Asks providers; touches no database, so that many may call it side by side."""

    def __init__(
        self, book: Mapping[str, Account], used: Collection[str], at: datetime
    ) -> None:
        self._book = book
        self._passes: dict[str, str | Exception] = {
            name: _find_pass(book[name], at)
            for name in used
            if name in book and book[name].kind == accounts.ZALO
        }

    def __call__(self, row: Delivery) -> _Outcome:
        """Carry one delivery; every way it can end is an outcome."""
        account = self._book.get(row.account)
        if account is None:
            return _Outcome(rules.FAILED, cause="account_absent")
        if row.to_contact and row.contact is None:
            return _Outcome(rules.FAILED, cause="contact_removed")
        try:
            access = self._passes.get(row.account, "")
            if isinstance(access, Exception):
                raise access
            receipt = adapters.send(account, _message(row), access=access)
        except adapters.RefusedTextError as refused:
            return _Outcome(rules.FAILED, cause=refused.cause)
        except OSError as closed:
            logger.warning("account %s is closed: %s", row.account, closed)
            return _Outcome(rules.WAITING)
        return _Outcome(rules.SENT, receipt.reference, receipt.cost_dong)


def _message(row: Delivery) -> adapters.Message:
    version = row.broadcast.version
    return adapters.Message(
        reference=row.uid,
        address=row.contact.address if row.contact else "",
        title=version.shown_title,
        text=newsroom_rules.shown_text(row.text, drill=version.drill),
        link=f"{settings.PUBLIC_URL}/xa/{row.broadcast.unit.uid}/",
        parts=row.parts,
    )


def _find_pass(account: Account, at: datetime) -> str | Exception:
    """Return a pass in force, renewed when it is about to end, or why there is none.

    A renewal key works once: who renews holds the row, and keeps the new one first.
    """
    start = {"access": "", "renewal": account.options["renewal"], "ends_at": at}
    try:
        with transaction.atomic():
            AccountToken.objects.get_or_create(account=account.name, defaults=start)
            row = AccountToken.objects.select_for_update().get(account=account.name)
            if row.ends_at <= at + adapters.RENEW_BEFORE:
                new = adapters.renew(account, row.renewal, at=at)
                row.access, row.renewal = new.access, new.renewal
                row.ends_at = new.ends_at
                row.save()
            return row.access
    except (OSError, adapters.RefusedTextError) as error:
        return error


def _write_down(row: Delivery, end: _Outcome, *, at: datetime) -> int:
    """Keep what came of a try; return 1 when it left."""
    mine = Delivery.objects.filter(pk=row.pk, state=rules.WAITING)
    if end.state == rules.WAITING:
        pause = max(rules.CLOSED_PAUSE, timedelta(minutes=2**row.tries))
        mine.update(lease_until=at + pause)
        # Nobody else beats on a door that is shut.
        held = _waiting(at).filter(account=row.account)
        held.update(lease_until=at + rules.CLOSED_PAUSE)
        return 0
    return mine.update(
        state=end.state,
        reference=end.reference,
        cost_dong=end.cost_dong,
        cause=end.cause,
        ended_at=at,
        lease_until=None,
    ) * (end.state == rules.SENT)


@transaction.atomic
def retry_delivery(*, uid: str, by: Officer, at: datetime) -> Delivery:
    """Send again what failed, when the cause is mended.

    Raises AbsentError, NoRightError, ConflictError `channels.not_failed`,
    `channels.broadcast_over` (called off, or old news).
    """
    mine = access.fence(
        Delivery.objects.all(), officer=by, at=at, unit="broadcast__unit"
    )
    row = (
        mine.select_for_update(of=("self",))
        .select_related("broadcast__unit")
        .filter(uid=uid)
        .first()
    )
    if row is None:
        raise AbsentError("channels.delivery_absent")
    access.check_can(by, AUTHOR, unit=row.broadcast.unit, at=at)
    if row.state != rules.FAILED:
        raise ConflictError("channels.not_failed")
    if row.broadcast.state != schedule_rules.APPROVED or row.cause == "stale":
        raise ConflictError("channels.broadcast_over")
    row.state, row.cause, row.tries = rules.WAITING, "", 0
    row.ended_at = row.lease_until = None
    row.save(update_fields=["state", "cause", "tries", "ended_at", "lease_until"])
    audit.record("channels.delivery.retried", target=row, by=by, at=at)
    return row
