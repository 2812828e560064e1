"""Drawing a listening sample, taking answers, ending it."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import (
    AbsentError,
    ConflictError,
    InvalidError,
    RefusedError,
)
from nguon.indicators import access, listening, sampling, strata
from nguon.indicators.listening import Told
from nguon.indicators.models import ListeningAnswer, ListeningPlace, ListeningRound
from nguon.newsroom.models import Bulletin
from nguon.people.models import Officer
from nguon.territory.models import VILLAGE, Unit


@transaction.atomic
def draw_round(
    *,
    unit: Unit,
    year: int,
    quarter: int,
    bulletin: Bulletin | None,
    first_date: date,
    last_date: date,
    margin: int,
    confidence: int,
    seed: int,
    by: Officer,
    at: datetime,
) -> ListeningRound:
    """Draw the sample of a quarter from a seed; its villages get the codes of a page.

    Raises InvalidError (`indicators.listening_days`, `…_quarter`, `…_wish`,
    `…_villages`, `…_bulletin`, `indicators.unit_kind`), ConflictError `…_twice`,
    AbsentError, NoRightError.
    """
    access.check_drawer(by, unit, at=at)
    if unit.kind == VILLAGE:
        raise InvalidError("indicators.unit_kind", name=unit.full_name)
    listening.check_days(year, quarter, first_date, last_date)
    listening.check_wish(margin, confidence, seed)
    _check_bulletin(bulletin, unit)
    same = ListeningRound.objects.filter(
        unit=unit, year=year, quarter=quarter, bulletin=bulletin, dropped=False
    )
    if same.exists():
        raise ConflictError("indicators.listening_twice", quarter=quarter, year=year)
    units = strata.list_units(unit, day=timezone.localdate(at))
    people = strata.people_of(units)
    effect = sampling.design_effect()
    if not units:
        raise InvalidError("indicators.listening_villages", name=unit.full_name)
    needed = sampling.need(
        margin=margin, confidence=confidence, effect=effect, people=people
    )
    one = ListeningRound.objects.create(
        unit=unit,
        year=year,
        quarter=quarter,
        bulletin=bulletin,
        first_date=first_date,
        after_date=last_date + timedelta(days=1),
        margin=margin,
        confidence=confidence,
        design_effect=round(effect, 2),
        take=sampling.TAKE,
        needed=needed,
        people=people,
        seed=seed,
        drawn_by=by,
        drawn_at=at,
    )
    places = _places(one, units)
    ListeningPlace.objects.bulk_create(places)
    audit.record(
        "indicators.listening.drawn",
        target=one,
        by=by,
        at=at,
        data={"seed": seed, "villages": len(places)},
    )
    return one


def _check_bulletin(bulletin: Bulletin | None, unit: Unit) -> None:
    """Refuse a bulletin of other ground: it sounds at its unit and below."""
    if bulletin is not None and bulletin.unit_id not in unit.ancestor_ids:
        raise InvalidError("indicators.listening_bulletin")


def _places(one: ListeningRound, units: list[Unit]) -> list[ListeningPlace]:
    """Return the drawn villages of a round; writes nothing."""
    drawn = sampling.draw(
        strata.describe(units),
        ask=sampling.to_ask(one.needed),
        take=one.take,
        seed=one.seed,
    )
    by_code = {unit.code: unit for unit in units}
    return [
        ListeningPlace(
            round=one,
            village=by_code[place.village.code],
            stratum=place.village.stratum,
            size=place.village.size,
            stratum_size=place.stratum_size,
            hits=place.hits,
            ask=place.ask,
            start=place.start,
        )
        for place in drawn
    ]


@transaction.atomic
def tell(*, code: str, key: UUID, told: Told, at: datetime) -> ListeningAnswer:
    """Keep one household's answer, by whoever has the village's code; once for a key.

    Raises AbsentError `indicators.listening_code`, RefusedError `…_not_begun`,
    `…_over`, `…_full`, InvalidError `…_incomplete`, ConflictError `…_key_used`.
    """
    told.check()
    rows = ListeningPlace.objects.select_for_update(of=("self",))
    place = rows.select_related("round").filter(code=code.upper()).first()
    if place is None:
        raise AbsentError("indicators.listening_code")
    kept = ListeningAnswer.objects.filter(key=key).first()
    if kept is not None:
        # Another household under the key of the one before is never lost silently.
        if kept.place_id != place.pk or _told(kept) != told:
            raise ConflictError("indicators.listening_key_used")
        return kept
    _check_open(place.round, timezone.localdate(at))
    answers = ListeningAnswer.objects.filter(place=place)
    count = answers.count()
    is_full = told.is_met and answers.filter(met=True).count() >= place.ask
    if is_full or count >= place.ask * listening.ROWS_FOR_ONE:
        raise RefusedError("indicators.listening_full")
    return ListeningAnswer.objects.create(
        place=place,
        number=count + 1,
        key=key,
        met=told.is_met,
        heard=told.is_heard,
        understood=told.is_understood,
        acted=told.is_acted,
        language=told.language,
        at=at,
    )


def _told(row: ListeningAnswer) -> Told:
    return Told(row.met, row.heard, row.understood, row.acted, row.language)


def _check_open(one: ListeningRound, day: date) -> None:
    if not one.is_begun(day):
        raise RefusedError(
            "indicators.listening_not_begun", day=f"{one.first_date:%d/%m/%Y}"
        )
    if one.is_over(day):
        raise RefusedError("indicators.listening_over")


@transaction.atomic
def end_round(*, uid: str, by: Officer, at: datetime) -> ListeningRound:
    """Take no more answers; the figures stand.

    Raises RefusedError `indicators.listening_unanswered` (such a round is dropped),
    ConflictError `indicators.listening_ended`, AbsentError, NoRightError.
    """
    one = _lock(uid, by=by, at=at)
    if not _answers(one).exists():
        raise RefusedError("indicators.listening_unanswered")
    _end(one, by=by, at=at)
    audit.record("indicators.listening.ended", target=one, by=by, at=at)
    return one


@transaction.atomic
def drop_round(*, uid: str, reason: str, by: Officer, at: datetime) -> ListeningRound:
    """Give up a round that nobody has answered yet, so that another may be drawn.

    Raises RefusedError `indicators.listening_answered`, InvalidError `…_reason`,
    ConflictError `…_ended`, AbsentError, NoRightError.
    """
    one = _lock(uid, by=by, at=at)
    words = " ".join(reason.split())
    if not 0 < len(words) <= 500:
        raise InvalidError("indicators.listening_reason")
    if _answers(one).exists():
        raise RefusedError("indicators.listening_answered")
    one.dropped, one.reason = True, words
    _end(one, by=by, at=at)
    audit.record(
        "indicators.listening.dropped",
        target=one,
        by=by,
        at=at,
        data={"reason": words},
    )
    return one


def end_due(*, at: datetime) -> int:
    """End the rounds whose last day has passed; return how many. Called every minutes.

    Nobody ends them, so `ended_by` stays empty.
    """
    due = ListeningRound.objects.filter(
        ended_at=None, after_date__lte=timezone.localdate(at)
    )
    return sum(_end_itself(one, at=at) for one in due.order_by("pk"))


@transaction.atomic
def _end_itself(one: ListeningRound, *, at: datetime) -> int:
    still = ListeningRound.objects.filter(pk=one.pk, ended_at=None)
    changed = still.update(ended_at=at)
    if changed:
        audit.record("indicators.listening.ended", target=one, by=None, at=at)
    return changed


def _lock(uid: str, *, by: Officer, at: datetime) -> ListeningRound:
    seen = access.fence_rounds(by, at=at).filter(uid=uid).values("pk")
    rows = ListeningRound.objects.select_for_update(of=("self",))
    one = rows.select_related("unit").filter(pk__in=seen).first()
    if one is None:
        raise AbsentError("indicators.listening_absent")
    access.check_drawer(by, one.unit, at=at)
    if one.ended_at is not None:
        raise ConflictError("indicators.listening_ended")
    return one


def _answers(one: ListeningRound) -> QuerySet[ListeningAnswer]:
    return ListeningAnswer.objects.filter(place__round=one)


def _end(one: ListeningRound, *, by: Officer, at: datetime) -> None:
    one.ended_by, one.ended_at = by, at
    one.save(update_fields=["ended_by", "ended_at", "dropped", "reason"])
