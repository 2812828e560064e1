"""Every change to what officers may do: roles, deputies, absences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.people import access
from nguon.people.actions.notices import notify
from nguon.people.models import (
    ADMINISTRATOR,
    ROLES,
    Absence,
    Deputy,
    Officer,
    Past,
    Role,
)
from nguon.territory.models import Unit

# A period that ends in the instant in which it began would be no period.
INSTANT = timedelta(microseconds=1)
CHUNK = 500


@transaction.atomic
def grant_role(
    *, officer: Officer, unit: Unit, kind: str, by: Officer | None, at: datetime
) -> Role:
    """Give an officer a role at a unit and below.

    `by` is None only from the console. Raises InvalidError for an unknown role or
    oneself, ConflictError when it is already held, and what `check_can` raises.
    """
    if kind not in ROLES:
        raise InvalidError("people.role_unknown", role=kind)
    if by is not None:
        access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
        if by.pk == officer.pk:
            raise InvalidError("people.own_role")
    try:
        with transaction.atomic():
            role = Role.objects.create(
                officer=officer, unit=unit, kind=kind, valid_from=at
            )
    except IntegrityError as error:
        raise ConflictError("people.role_held", role=ROLES[kind]) from error
    audit.record("people.role.granted", target=role, by=by, at=at)
    return role


@transaction.atomic
def end_role(*, role_id: int, by: Officer, at: datetime) -> Role:
    """End a role now, and with it what its deputies hold.

    Raises ConflictError when it has ended already.
    """
    role = _lock_role(role_id)
    access.check_can(by, ADMINISTRATOR, unit=role.unit, at=at)
    if role.valid_to is not None:
        raise ConflictError("people.role_ended")
    role.valid_to = max(at, role.valid_from + INSTANT)
    role.save(update_fields=["valid_to"])
    audit.record("people.role.ended", target=role, by=by, at=at)
    return role


@dataclass(frozen=True)
class HandOver:
    """What became of a role that went to another unit: its heir, and its deputies."""

    made: int
    is_new: bool
    deputies: tuple[int, ...]


@transaction.atomic
def hand_over_roles(*, moves: Mapping[int, int], at: datetime) -> dict[int, HandOver]:
    """End open roles and begin the same ones at other units, by their keys.

    Who holds such a role there already goes on with that one. Deputies whose time is
    not over go with the role. The right is asked by whoever rearranges units.
    """
    done: dict[int, HandOver] = {}
    keys = sorted(moves)
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        rows = Role.objects.select_for_update().filter(pk__in=part, valid_to=None)
        roles = list(rows.order_by("pk"))
        targets = {moves[role.pk] for role in roles}
        there = {
            (role.officer_id, role.unit_id, role.kind): role
            for role in Role.objects.filter(unit__in=targets, valid_to=None)
        }
        fresh: dict[tuple[int, int, str], Role] = {}
        for role in roles:
            name = (role.officer_id, moves[role.pk], role.kind)
            if name not in there:
                fresh[name] = Role(
                    officer_id=name[0], unit_id=name[1], kind=name[2], valid_from=at
                )
            role.valid_to = max(at, role.valid_from + INSTANT)
        Role.objects.bulk_update(roles, ["valid_to"], batch_size=200)
        Role.objects.bulk_create(fresh.values(), batch_size=200)
        deputies: dict[int, list[int]] = {}
        held = Deputy.objects.filter(role__in=roles, to_at__gt=at).order_by("pk")
        for key, role_id in held.values_list("pk", "role"):
            deputies.setdefault(role_id, []).append(key)
        for role in roles:
            name = (role.officer_id, moves[role.pk], role.kind)
            made = there.get(name) or fresh[name]
            mine = tuple(deputies.get(role.pk, ()))
            if mine:
                Deputy.objects.filter(pk__in=mine).update(role=made)
            done[role.pk] = HandOver(made.pk, name in fresh, mine)
    return done


@transaction.atomic
def take_back_roles(*, handed: Mapping[int, HandOver], at: datetime) -> None:
    """Undo `hand_over_roles`: the old roles go on, those made for it end.

    Raises ConflictError `people.role_held` when somebody was given one of them anew.
    """
    for start in range(0, len(handed), CHUNK):
        part = dict(list(handed.items())[start : start + CHUNK])
        made = {one.made for one in part.values() if one.is_new}
        ending = list(Role.objects.filter(pk__in=made, valid_to=None))
        for role in ending:
            role.valid_to = max(at, role.valid_from + INSTANT)
        Role.objects.bulk_update(ending, ["valid_to"], batch_size=200)
        try:
            with transaction.atomic():
                Role.objects.filter(pk__in=part).update(valid_to=None)
        except IntegrityError as error:
            raise ConflictError("people.role_held", role="cũ") from error
        for key, one in part.items():
            if one.deputies:
                rows = Deputy.objects.filter(pk__in=one.deputies, role=one.made)
                rows.update(role=key)


@transaction.atomic
def read_past(*, pairs: Sequence[tuple[int, int]]) -> None:
    """Let units of today read the past of old ones: keys of (today's, old).

    The right is asked by whoever rearranges units.
    """
    rows = [Past(unit_id=unit, old_id=old) for unit, old in pairs]
    Past.objects.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)


@transaction.atomic
def forget_past(*, pairs: Sequence[tuple[int, int]]) -> None:
    """Undo `read_past`."""
    for unit, old in pairs:
        Past.objects.filter(unit=unit, old=old).delete()


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
    """Let somebody hold another's role for a while, and tell them.

    The holder does it, or an administrator. Raises InvalidError for an empty period,
    one's own role or a shut account, ConflictError when the role has ended.
    """
    role = _lock_role(role_id)
    if by.pk != role.officer_id:
        access.check_can(by, ADMINISTRATOR, unit=role.unit, at=at)
    if role.valid_to is not None and role.valid_to <= at:
        raise ConflictError("people.role_ended")
    if to_at <= max(from_at, at):
        raise InvalidError("people.period_empty")
    if officer.pk == role.officer_id:
        raise InvalidError("people.own_deputy")
    if by.pk == officer.pk:
        raise InvalidError("people.own_role")
    if not officer.is_active:
        raise InvalidError("people.officer_locked")
    deputy = Deputy.objects.create(
        role=role, officer=officer, from_at=from_at, to_at=to_at
    )
    audit.record("people.deputy.named", target=deputy, by=by, at=at)
    notify(
        officers=[officer],
        subject=f"Bạn thay {role.officer.full_name}",
        body=(
            f"Bạn giữ thay vai trò “{ROLES[role.kind]}” tại {role.unit.full_name} "
            "trong thời gian được giao. Xem trong trang Tài khoản của tôi."
        ),
        url="/tai-khoan/",
        at=at,
    )
    return deputy


@transaction.atomic
def end_deputy(*, deputy_id: int, by: Officer, at: datetime) -> Deputy:
    """End a deputy's time now. Raises ConflictError when it is over."""
    deputy = (
        Deputy.objects.select_for_update(of=("self",))
        .select_related("role__unit")
        .filter(pk=deputy_id)
        .first()
    )
    if deputy is None:
        raise AbsentError("people.deputy_absent")
    if by.pk not in {deputy.role.officer_id, deputy.officer_id}:
        access.check_can(by, ADMINISTRATOR, unit=deputy.role.unit, at=at)
    if deputy.to_at <= at:
        raise ConflictError("people.period_over")
    _end_period(deputy, at=at)
    audit.record("people.deputy.ended", target=deputy, by=by, at=at)
    return deputy


@transaction.atomic
def announce_absence(
    *, officer: Officer, from_at: datetime, to_at: datetime, by: Officer, at: datetime
) -> Absence:
    """Say when an officer is away. Raises InvalidError for an empty period."""
    if by.pk != officer.pk:
        access.check_manages(by, officer, at=at)
    if to_at <= max(from_at, at):
        raise InvalidError("people.period_empty")
    absence = Absence.objects.create(officer=officer, from_at=from_at, to_at=to_at)
    audit.record("people.absence.announced", target=absence, by=by, at=at)
    return absence


@transaction.atomic
def end_absence(*, absence_id: int, by: Officer, at: datetime) -> Absence:
    """Say that an officer is back. Raises ConflictError when it is over."""
    absence = (
        Absence.objects.select_for_update(of=("self",))
        .select_related("officer")
        .filter(pk=absence_id)
        .first()
    )
    if absence is None:
        raise AbsentError("people.absence_absent")
    if by.pk != absence.officer_id:
        access.check_manages(by, absence.officer, at=at)
    if absence.to_at <= at:
        raise ConflictError("people.period_over")
    _end_period(absence, at=at)
    audit.record("people.absence.ended", target=absence, by=by, at=at)
    return absence


def _lock_role(role_id: int) -> Role:
    role = (
        Role.objects.select_for_update(of=("self",))
        .select_related("unit", "officer")
        .filter(pk=role_id)
        .first()
    )
    if role is None:
        raise AbsentError("people.role_absent")
    return role


def _end_period(period: Deputy | Absence, *, at: datetime) -> None:
    """Shorten a period to now; one that has not begun becomes an empty instant."""
    period.from_at = min(period.from_at, at - INSTANT)
    period.to_at = at
    period.save(update_fields=["from_at", "to_at"])
