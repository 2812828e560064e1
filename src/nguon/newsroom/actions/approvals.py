"""Approval: a second person, about one hash. There is no way around for anyone.

The same rule stands in the database (`newsroom.guards`); here it is said kindly.
"""

from datetime import datetime

from django.db import IntegrityError, connection, transaction

from nguon.audit import actions as audit
from nguon.audit import guards
from nguon.core.errors import AbsentError, ConflictError, RefusedError
from nguon.newsroom.models import Editor, Involvement, Seal, Version
from nguon.people import access as people_access
from nguon.people.models import Officer

DONE = {Involvement.APPROVE: "approved", Involvement.CHECK: "checked"}


class OwnBulletinError(RefusedError):
    """Whoever wrote, edited or sent a version does not approve it."""


class ChangedError(ConflictError):
    """What would be approved is not what was heard and seen."""


class NotSealedError(ConflictError):
    """Not everything can be heard yet, so there is nothing to approve."""


class AlreadyApprovedError(ConflictError):
    """The version has its approval; a second one says nothing."""


@transaction.atomic
def seal_version(*, version_id: int, sha256: str, at: datetime) -> Seal:
    """Fix the one hash that an approval of this version may be about.

    The schedule calls this when every sound is ready and the audience is stored.
    Sealing again with the same hash is harmless. Raises ChangedError for another.
    """
    seal, _fresh = Seal.objects.get_or_create(
        version_id=version_id, defaults={"sha256": sha256, "sealed_at": at}
    )
    if seal.sha256 != sha256:
        raise ChangedError("newsroom.changed", sealed=seal.sha256, given=sha256)
    return seal


@transaction.atomic
def record_approval(
    *, version_id: int, sha256: str, by: Officer, at: datetime
) -> Involvement:
    """Write down that `by` approves the version as sealed under `sha256`.

    Raises OwnBulletinError, ChangedError, NotSealedError, AlreadyApprovedError,
    RefusedError without the approver's right; then nothing has changed.
    """
    return _agree(Involvement.APPROVE, version_id, sha256, by=by, at=at)


@transaction.atomic
def record_check(
    *, version_id: int, sha256: str, by: Officer, at: datetime
) -> Involvement:
    """Write down that `by` checked the version, for another person to approve.

    Who checked never approves: one row per person and version. Raises the same as
    `record_approval`.
    """
    return _agree(Involvement.CHECK, version_id, sha256, by=by, at=at)


def _agree(
    kind: str, version_id: int, sha256: str, *, by: Officer, at: datetime
) -> Involvement:
    guards.check_set(connection)
    version = (
        Version.objects.select_related("bulletin__unit").filter(pk=version_id).first()
    )
    if version is None:
        raise AbsentError("newsroom.version_absent")
    people_access.check_can(by, "approver", unit=version.bulletin.unit, at=at)
    _check_hash(version, sha256)
    _check_second_person(version, by, kind)

    try:
        with transaction.atomic():
            approval = Involvement.objects.create(
                version=version,
                person=by,
                kind=kind,
                at=at,
                approved_sha256=sha256,
            )
    except IntegrityError as error:
        # Somebody was faster between our look and our write.
        raise AlreadyApprovedError("newsroom.already_approved") from error
    audit.record(
        f"newsroom.version.{DONE[kind]}",
        target=version,
        by=by,
        at=at,
        data={"sha256": sha256},
    )
    return approval


def check_sealed(*, version_id: int, sha256: str) -> None:
    """Check that a version is sealed under exactly this hash, by guards that stand.

    For a release under a standing authority, which is no approval and records none.
    Raises NotSealedError, ChangedError, GuardsMissingError, AbsentError.
    """
    guards.check_set(connection)
    version = Version.objects.filter(pk=version_id).first()
    if version is None:
        raise AbsentError("newsroom.version_absent")
    _check_hash(version, sha256)


def _check_hash(version: Version, sha256: str) -> None:
    seal = Seal.objects.filter(version=version).first()
    if seal is None:
        raise NotSealedError("newsroom.not_sealed")
    if seal.sha256 != sha256:
        raise ChangedError("newsroom.changed", sealed=seal.sha256, given=sha256)


def _check_second_person(version: Version, by: Officer, kind: str) -> None:
    involved = Involvement.objects.filter(version=version)
    if involved.filter(kind__in=[kind, Involvement.APPROVE]).exists():
        raise AlreadyApprovedError("newsroom.already_approved")
    if involved.filter(person=by, kind=Involvement.CHECK).exists():
        raise OwnBulletinError("newsroom.own_check")
    edited = involved.filter(person=by).exists()
    touched = Editor.objects.filter(bulletin=version.bulletin, person=by).exists()
    if edited or touched:
        raise OwnBulletinError("newsroom.own_bulletin")
