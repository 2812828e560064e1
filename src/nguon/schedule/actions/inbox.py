"""The commune's inbox: what comes from above is taken, or left with a reason.

Source: circular 39/2020/TT-BTTTT: of a normal bulletin the commune chooses whether
and when. Taking makes it a material of programmes; nothing sounds by itself.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.newsroom import actions as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom import supply as newsroom_supply
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import inbox, rules, station, supply
from nguon.schedule.actions.papers import draft_paper, send_paper
from nguon.schedule.models import Broadcast, InboxEntry, Localisation, Paper
from nguon.territory.models import Unit

REASON_LIMIT = 2000


def offer(broadcast: Broadcast, *, at: datetime) -> bool:
    """Put a bulletin from above into the inbox of each commune; say whether any was.

    For `release`, inside its transaction. An audience outside all communes (a board
    of the province itself) has nobody to decide for it: there it sounds as approved.
    """
    if not broadcast.is_offered:
        return False
    communes = inbox.list_communes(broadcast, at=at)
    InboxEntry.objects.bulk_create(
        InboxEntry(unit=unit, broadcast=broadcast, arrived_at=at) for unit in communes
    )
    people.notify(
        officers=people_queries.list_holders_in(communes, kind=AUTHOR, at=at),
        subject=f"Tin mới từ {broadcast.unit.full_name}: "
        f"{broadcast.version.shown_title}",
        body="Hãy nghe rồi chọn nhận vào chương trình hoặc không dùng.",
        url="/hop-tin/",
        at=at,
    )
    return bool(communes)


@transaction.atomic
def take_entry(*, entry_id: int, by: Officer, at: datetime) -> InboxEntry:
    """Take a bulletin from above into the commune's materials.

    Raises AbsentError, NoRightError, ConflictError when it was called off.
    """
    return _decide(entry_id, rules.TAKEN, reason="", by=by, at=at)


@transaction.atomic
def leave_entry(*, entry_id: int, reason: str, by: Officer, at: datetime) -> InboxEntry:
    """Leave a bulletin from above unused; its issuer reads the reason.

    Raises InvalidError without a reason, ConflictError when a programme uses it,
    AbsentError, NoRightError.
    """
    if not reason.strip():
        raise InvalidError("schedule.leave_reason_missing")
    return _decide(entry_id, rules.LEFT, reason=reason.strip(), by=by, at=at)


@transaction.atomic
def localise_entry(
    *, entry_id: int, lead_in: str, closing: str, by: Officer, at: datetime
) -> Localisation:
    """Begin the commune's own version of a bulletin from above; it counts as taken.

    The supplied words stand whole in the draft, the commune's own around them; hour,
    languages and approval are the commune's, as with any bulletin. The last day of the
    origin holds here too. Raises ConflictError when it was called off or has a version
    already, DraftError, AbsentError, NoRightError.
    """
    entry = _decide(entry_id, rules.TAKEN, reason="", by=by, at=at)
    if Localisation.objects.filter(entry=entry).exists():
        raise ConflictError("schedule.already_localised")
    origin = entry.broadcast.version
    known = {one.pk for one in newsroom_supply.suppliers_of(entry.unit)}
    draft = newsroom_rules.Draft(
        title=origin.title,
        body=newsroom_supply.localised_body(
            lead_in=lead_in, supplied_body=origin.body, closing=closing
        ),
        klass=origin.klass,
        field=origin.field,
        expires_on=origin.bulletin.expires_on,
        supplier=origin.supplier_id if origin.supplier_id in known else None,
    )
    bulletin = newsroom.create_bulletin(unit=entry.unit, draft=draft, by=by, at=at)
    localisation = Localisation.objects.create(
        entry=entry, bulletin=bulletin, made_by=by, made_at=at
    )
    audit.record(
        "schedule.inbox.localised",
        target=entry,
        by=by,
        at=at,
        data={"broadcast": entry.broadcast.uid, "bulletin": bulletin.uid},
    )
    return localisation


def tell_altered(broadcast: Broadcast, *, at: datetime) -> None:
    """Tell the supplier of a commune's version, just released, with other words."""
    version = broadcast.version
    origin = supply.origin_of(version.bulletin, title=version.title, body=version.body)
    if origin is None or not origin.adaptation.is_altered:
        return
    people.notify(
        officers=[origin.broadcast.submitted_by],
        subject=f"{broadcast.unit.full_name} sửa lời: {version.shown_title}",
        body="Xã phát bản của mình, có chữ khác với bản bạn gửi. Hãy xem chỗ khác.",
        url=f"/ban-tin/{version.bulletin.uid}/",
        at=at,
    )


def _decide(
    entry_id: int, state: str, *, reason: str, by: Officer, at: datetime
) -> InboxEntry:
    entry = (
        InboxEntry.objects.select_for_update(of=("self",))
        .select_related("unit", "broadcast__version__bulletin")
        .filter(pk=entry_id)
        .first()
    )
    if entry is None:
        raise AbsentError("schedule.entry_absent")
    access.check_can(by, AUTHOR, unit=entry.unit, at=at)
    rules.check_inbox_move(
        new=state,
        broadcast=entry.broadcast.state,
        used=inbox.is_used(entry, at=at),
    )
    entry.state = state
    entry.decided_by = by
    entry.decided_at = at
    entry.reason = reason[:REASON_LIMIT]
    entry.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    audit.record(
        f"schedule.inbox.{state}",
        target=entry,
        by=by,
        at=at,
        data={"broadcast": entry.broadcast.uid, "reason": entry.reason},
    )
    return entry


@transaction.atomic
def propose_order(
    *, unit: Unit, broadcasts: Sequence[str], by: Officer, at: datetime
) -> Paper:
    """Write the order of priority bulletins as a paper, and send it to be approved.

    Source: circular 39/2020/TT-BTTTT: where they meet, the commune decides. Raises
    InvalidError `schedule.no_clash` when nothing meets, `schedule.order_incomplete`
    when it does not name exactly those that do, and what `send_paper` raises.
    """
    meeting = {
        row.broadcast.uid
        for clash in inbox.list_clashes(unit, at=at)
        for row in clash.airings
        if row.broadcast is not None
    }
    if not meeting:
        raise InvalidError("schedule.no_clash")
    if set(broadcasts) != meeting or len(broadcasts) != len(meeting):
        raise InvalidError("schedule.order_incomplete")
    today = at.astimezone(rules.LOCAL).date()
    paper = draft_paper(
        unit=unit,
        kind=station.ORDER,
        body=station.Order(broadcasts=tuple(broadcasts)),
        title=f"Thứ tự tin ưu tiên từ ngày {today:%d/%m/%Y}",
        first_date=today,
        last_date=None,
        by=by,
        at=at,
    )
    return send_paper(paper_uid=paper.uid, by=by, at=at)
