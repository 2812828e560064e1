"""What came in by itself: taken or set aside by a person, kept, and forgotten in time.

Nothing here sends anything on: what is taken becomes a draft like any other.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core import phones
from nguon.core.errors import ConflictError, RefusedError
from nguon.newsroom import rules
from nguon.newsroom.actions.feeds import content_hash
from nguon.newsroom.actions.intake import take_arrived
from nguon.newsroom.arrivals import access_arrival, new_receipt
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import Arrival, Bulletin
from nguon.people import access as people_access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import AUTHOR, Officer
from nguon.territory.models import Unit
from nguon.territory.names import fold

_MOST_AT_ONCE, _MOST_REMINDED = 500, 50


@transaction.atomic
def take_arrival(*, uid: str, by: Officer, at: datetime) -> Bulletin:
    """Make a draft of a text that came in; `by` is its author, and finishes it.

    Raises ConflictError `newsroom.arrival_decided`, AbsentError, NoRightError.
    """
    arrival = _open(uid, by, at)
    bulletin = take_arrived(arrival=arrival, by=by, at=at)
    _decide(arrival, by, at, state=rules.TAKEN, bulletin=bulletin)
    audit.record(
        "newsroom.arrival.taken",
        target=arrival,
        by=by,
        at=at,
        data={"bulletin": bulletin.uid},
    )
    return bulletin


@transaction.atomic
def set_aside(*, uid: str, reason: str, by: Officer, at: datetime) -> Arrival:
    """Decide that a text is not used; whoever proposed it can read the reason.

    Raises DraftError `newsroom.reason_missing`, ConflictError, AbsentError.
    """
    arrival = _open(uid, by, at)
    why = " ".join(clean(reason).split())
    if not 1 <= len(why) <= rules.REASON_LIMIT:
        raise rules.DraftError("newsroom.reason_missing", limit=rules.REASON_LIMIT)
    _decide(arrival, by, at, state=rules.SET_ASIDE, reason=why)
    audit.record(
        "newsroom.arrival.set_aside",
        target=arrival,
        by=by,
        at=at,
        data={"reason": why},
    )
    arrival.refresh_from_db()
    return arrival


def _open(uid: str, by: Officer, at: datetime) -> Arrival:
    arrival = access_arrival(uid=uid, officer=by, at=at)
    people_access.check_can(by, AUTHOR, unit=arrival.unit, at=at)
    if arrival.state != rules.ARRIVED:
        raise ConflictError("newsroom.arrival_decided")
    return arrival


def _decide(arrival: Arrival, by: Officer, at: datetime, **told: object) -> None:
    """Move a waiting text on; who comes second changes nothing."""
    waiting = Arrival.objects.filter(
        pk=arrival.pk,
        state=rules.ARRIVED,
        # What was read is what is decided: its source may have changed it meanwhile.
        content_sha256=arrival.content_sha256,
    )
    if waiting.update(decided_by=by, decided_at=at, **told) != 1:
        raise ConflictError("newsroom.arrival_decided")


# --- proposed by people and systems ---------------------------------------------------


@transaction.atomic
def offer_text(
    *,
    unit: Unit,
    sender: str,
    phone: str,
    organisation: str,
    title: str,
    text: str,
    field: int,
    wished_on: date | None,
    at: datetime,
) -> Arrival:
    """Take a proposal from an organisation by the public form; it waits, and is told.

    The same text sent again within a day by the same phone is the same proposal.
    Raises DraftError (`newsroom.offer_…`, `field_unknown`), RefusedError
    `newsroom.offers_full`.
    """
    try:
        number = phones.read(phone, landline=True)
    except ValueError as error:
        raise rules.DraftError("newsroom.offer_phone") from error
    who, house = _line(sender), _line(organisation)
    body, heading = clean(text), _line(title)
    if not (2 <= len(who) <= rules.SENDER_LIMIT):
        raise rules.DraftError("newsroom.offer_sender", limit=rules.SENDER_LIMIT)
    if not (2 <= len(house) <= rules.FEED_NAME_LIMIT):
        raise rules.DraftError(
            "newsroom.offer_organisation", limit=rules.FEED_NAME_LIMIT
        )
    heading = heading or rules.first_words(body)
    _check_offer(heading, body, field, wished_on, at=at)
    _lock(unit)
    content = content_hash(heading, body)
    recent = Arrival.objects.filter(
        origin=rules.FROM_FORM, phone=number, arrived_at__gt=at - timedelta(days=1)
    )
    same = recent.filter(unit=unit, content_sha256=content, state=rules.ARRIVED).first()
    if same is not None:
        return same
    if recent.count() >= rules.OFFERS_PER_PHONE:
        raise RefusedError("newsroom.offers_full")
    return _keep_offer(
        Arrival(
            unit=unit,
            origin=rules.FROM_FORM,
            source_key="form",
            source_name=house,
            content_sha256=content,
            title=heading,
            body=body,
            field=field,
            wished_on=wished_on,
            sender=who,
            phone=number,
        ),
        at=at,
    )


@transaction.atomic
def receive_text(
    *,
    unit: Unit,
    account: str,
    label: str,
    reference: str,
    title: str,
    text: str,
    field: int,
    link: str = "",
    wished_on: date | None = None,
    at: datetime,
) -> Arrival:
    """Take a text from another system that has proved who it is; it waits like any.

    Sent again with the same reference it is the same text, whatever became of it.
    Raises DraftError, ConflictError `newsroom.reference_used` for other words under
    a reference that is known, RefusedError `newsroom.offers_full`.
    """
    body, heading = clean(text), _line(title)
    name = _line(reference)
    if not 1 <= len(name) <= 200:
        raise rules.DraftError("newsroom.reference_missing")
    heading = heading or rules.first_words(body)
    _check_offer(heading, body, field, wished_on, at=at)
    _lock(unit)
    key, content = f"system:{account}", content_hash(heading, body)
    mark = content_hash(name, "")
    known = Arrival.objects.filter(source_key=key, entry_sha256=mark).first()
    if known is not None and known.content_sha256 != content:
        raise ConflictError("newsroom.reference_used")
    if known is not None:
        return known
    return _keep_offer(
        Arrival(
            unit=unit,
            origin=rules.FROM_SYSTEM,
            source_key=key,
            source_name=label[: rules.FEED_NAME_LIMIT],
            entry_sha256=mark,
            content_sha256=content,
            title=heading,
            body=body,
            field=field,
            wished_on=wished_on,
            link=link,
        ),
        at=at,
    )


def _lock(unit: Unit) -> None:
    """Make those who send to a unit at once wait for each other."""
    Unit.objects.select_for_update().get(pk=unit.pk)


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _check_offer(
    title: str, body: str, field: int, wished_on: date | None, *, at: datetime
) -> None:
    rules.check_draft(rules.Draft(title=title, body=body, field=field), drill=False)
    if not body:
        raise rules.DraftError("newsroom.offer_empty")
    if body.lower().count("http") > rules.OFFER_LINKS:
        raise rules.DraftError("newsroom.offer_links", limit=rules.OFFER_LINKS)
    if wished_on is not None and wished_on < timezone.localdate(at):
        raise rules.DraftError("newsroom.offer_day_past")


def _keep_offer(arrival: Arrival, *, at: datetime) -> Arrival:
    """Keep a proposal with its receipt, and tell the unit's authors."""
    waiting = Arrival.objects.filter(unit=arrival.unit, state=rules.ARRIVED)
    if waiting.exclude(origin=rules.FROM_FEED).count() >= rules.OFFERS_WAITING:
        raise RefusedError("newsroom.offers_full")
    arrival.receipt, arrival.arrived_at = new_receipt(), at
    arrival.folded = fold(f"{arrival.title} {arrival.body} {arrival.source_name}")
    arrival.save(force_insert=True)
    people.notify(
        officers=people_queries.list_holders(arrival.unit, kind=AUTHOR, at=at),
        # Nobody's own words, and once while it is unread: a flood of texts rings once.
        subject="Có tin đề nghị phát chờ xem",
        body="Hãy mở Tin đến, nhận từng tin hoặc trả lời vì sao không.",
        url="/ban-tin/tin-den/?trang_thai=waiting",
        at=at,
        once_in=timedelta(days=1),
    )
    # No name, no number: the books keep what may be kept.
    audit.record(
        "newsroom.arrival.offered",
        target=arrival,
        by=None,
        at=at,
        data={"origin": arrival.origin},
    )
    return arrival


# --- the worker -----------------------------------------------------------------------


def remind_arrivals(*, at: datetime) -> int:
    """Remind authors once of proposals that wait a day, or whose day is near.

    Whoever proposed a text sees by the receipt that nobody has decided. Return how
    many were told of.
    """
    tomorrow = timezone.localdate(at) + timedelta(days=1)
    near = Q(wished_on__lte=tomorrow, arrived_at__lt=at - timedelta(hours=1))
    due = Arrival.objects.filter(
        near | Q(arrived_at__lt=at - rules.OFFER_REMINDED),
        origin__in=(rules.FROM_FORM, rules.FROM_SYSTEM),
        state=rules.ARRIVED,
        reminded_at=None,
    )
    told = 0
    for arrival in due.select_related("unit").order_by("pk")[:_MOST_REMINDED]:
        told += _remind(arrival, at=at)
    return told


@transaction.atomic
def _remind(arrival: Arrival, *, at: datetime) -> int:
    mine = Arrival.objects.filter(pk=arrival.pk, reminded_at=None)
    if not mine.update(reminded_at=at):
        return 0
    since = timezone.localdate(arrival.arrived_at)
    body = f"{arrival.source_name} gửi ngày {since:%d/%m/%Y}."
    if arrival.wished_on:
        body += f" Nơi gửi mong phát {arrival.wished_on:%d/%m/%Y}."
    people.notify(
        officers=people_queries.list_holders(arrival.unit, kind=AUTHOR, at=at),
        subject=f"Tin đề nghị chưa ai trả lời: {arrival.title}",
        body=body,
        url=f"/ban-tin/tin-den/{arrival.uid}/",
        at=at,
    )
    return 1


def tidy_arrivals(*, at: datetime) -> int:
    """Let lapse what nobody opened, forget who proposed long ago; return how many."""
    old = Arrival.objects.filter(
        origin=rules.FROM_FEED,
        state=rules.ARRIVED,
        arrived_at__lt=at - timedelta(days=rules.LAPSE_DAYS),
    )
    keys = list(old.values_list("pk", flat=True)[:_MOST_AT_ONCE])
    lapsed = old.filter(pk__in=keys).update(state=rules.LAPSED, decided_at=at)
    due = Q(decided_at__lt=at - timedelta(days=rules.SENDER_DAYS)) | Q(
        arrived_at__lt=at - timedelta(days=rules.SENDER_LONGEST_DAYS)
    )
    named = Arrival.objects.filter(due, forgotten_at=None).exclude(sender="", phone="")
    return lapsed + named.update(sender="", phone="", forgotten_at=at)
