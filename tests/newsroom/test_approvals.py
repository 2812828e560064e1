"""A second person approves one hash: in the action and in the database itself.

The raw SQL here runs on whatever database the tests run on: SQLite or PostgreSQL.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from nguon.audit import guards as audit_guards
from nguon.audit.models import Record
from nguon.core.errors import AbsentError, RefusedError
from nguon.newsroom import actions
from nguon.newsroom.guards import GUARDS
from nguon.newsroom.models import Bulletin, Involvement, Version
from nguon.newsroom.rules import DraftError
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.newsroom.conftest import MEETING, SEALED, STORM


def approve(version: Version, by: Officer, at: datetime, sha256: str = SEALED) -> None:
    actions.record_approval(version_id=version.pk, sha256=sha256, by=by, at=at)


def insert(version_id: int, person_id: int, kind: str, at: datetime, sha: str) -> None:
    """Write an involvement past every line of Python."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO newsroom_involvement"
            " (version_id, person_id, kind, at, approved_sha256)"
            " VALUES (%s, %s, %s, %s, %s)",
            [version_id, person_id, kind, at, sha],
        )


def refused(run: Callable[[], object]) -> str:
    """Return the database's own words for what it refuses."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        run()
    return str(refusal.value)


def sql(statement: str, *values: object) -> Callable[[], object]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    return run


def test_the_second_person_approves_and_the_first_may_not(
    version: Version, lan: Officer, minh: Officer, now: datetime
) -> None:
    with pytest.raises(RefusedError):
        approve(version, lan, now)
    approve(version, minh, now)

    approval = version.involvements.get(kind=Involvement.APPROVE)
    assert (approval.person, approval.approved_sha256) == (minh, SEALED)
    assert Record.objects.filter(action="newsroom.version.approved").count() == 1


def test_an_author_who_is_also_approver_is_refused_as_author(
    ia_grai: Unit, hoa: Officer, now: datetime
) -> None:
    both = make_officer("thu", "Thu", (ia_grai, "author"), (ia_grai, "approver"))
    bulletin = actions.create_bulletin(unit=ia_grai, draft=MEETING, by=both, at=now)
    version = actions.freeze_version(bulletin_id=bulletin.pk, by=both, at=now)
    actions.seal_version(version_id=version.pk, sha256=SEALED, at=now)

    with pytest.raises(actions.OwnBulletinError) as refusal:
        approve(version, both, now)
    with pytest.raises(AbsentError):
        approve(version, hoa, now)

    assert refusal.value.code == "newsroom.own_bulletin"


def test_a_superuser_has_no_way_around(
    ia_grai: Unit, admin: Officer, now: datetime
) -> None:
    bulletin = actions.create_bulletin(unit=ia_grai, draft=MEETING, by=admin, at=now)
    version = actions.freeze_version(bulletin_id=bulletin.pk, by=admin, at=now)
    actions.seal_version(version_id=version.pk, sha256=SEALED, at=now)

    with pytest.raises(actions.OwnBulletinError):
        approve(version, admin, now)
    words = refused(lambda: insert(version.pk, admin.pk, "approve", now, SEALED))

    assert "newsroom.own_bulletin" in words


def test_who_edited_an_earlier_version_never_approves_a_later_one(
    bulletin: Bulletin,
    freeze: Callable[[Bulletin], Version],
    quan: Officer,
    minh: Officer,
    now: datetime,
) -> None:
    draft = replace(MEETING, body="Quân sửa.")
    actions.save_draft(
        bulletin_id=bulletin.pk, revision=1, draft=draft, by=quan, at=now
    )
    freeze(bulletin)
    second = freeze(bulletin)

    with pytest.raises(actions.OwnBulletinError):
        approve(second, quan, now)
    approve(second, minh, now)

    assert second.number == 2
    assert second.involvements.filter(kind=Involvement.EDIT).count() == 2


def test_who_edits_the_draft_after_freezing_may_not_approve_either(
    bulletin: Bulletin, version: Version, quan: Officer, now: datetime
) -> None:
    actions.save_draft(
        bulletin_id=bulletin.pk,
        revision=1,
        draft=replace(MEETING, body="Quân sửa sau."),
        by=quan,
        at=now,
    )

    with pytest.raises(actions.OwnBulletinError):
        approve(version, quan, now)
    words = refused(lambda: insert(version.pk, quan.pk, "approve", now, SEALED))

    assert "newsroom.own_bulletin" in words


def test_an_approval_is_about_the_sealed_hash_and_is_given_once(
    bulletin: Bulletin,
    version: Version,
    minh: Officer,
    quan: Officer,
    lan: Officer,
    now: datetime,
) -> None:
    unsealed = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    with pytest.raises(actions.NotSealedError):
        approve(unsealed, minh, now)
    with pytest.raises(actions.ChangedError):
        approve(version, minh, now, sha256="6" * 64)
    with pytest.raises(actions.ChangedError):
        actions.seal_version(version_id=version.pk, sha256="6" * 64, at=now)
    approve(version, minh, now)
    with pytest.raises(actions.AlreadyApprovedError):
        approve(version, quan, now)


def test_raw_sql_cannot_approve_what_the_rules_refuse(
    version: Version, lan: Officer, minh: Officer, quan: Officer, now: datetime
) -> None:
    own = refused(lambda: insert(version.pk, lan.pk, "approve", now, SEALED))
    other_hash = refused(lambda: insert(version.pk, minh.pk, "approve", now, "6" * 64))
    no_hash = refused(lambda: insert(version.pk, minh.pk, "approve", now, ""))
    insert(version.pk, minh.pk, "approve", now, SEALED)
    twice = refused(lambda: insert(version.pk, quan.pk, "approve", now, SEALED))
    late_edit = refused(lambda: insert(version.pk, quan.pk, "edit", now, ""))

    assert "newsroom.own_bulletin" in own
    assert "newsroom.changed" in other_hash
    assert no_hash
    assert re.search("one_approval|UNIQUE", twice)
    assert "newsroom.already_approved" in late_edit


def test_raw_sql_cannot_clear_the_traces_first(
    version: Version, lan: Officer, minh: Officer, now: datetime
) -> None:
    statements = {
        "involvement deleted": sql("DELETE FROM newsroom_involvement"),
        "involvement moved": sql(
            "UPDATE newsroom_involvement SET person_id = %s", minh.pk
        ),
        "involvement turned": sql(
            "UPDATE newsroom_involvement SET kind = 'approve', approved_sha256 = %s",
            SEALED,
        ),
        "editor deleted": sql("DELETE FROM newsroom_editor"),
        "editor moved": sql("UPDATE newsroom_editor SET person_id = %s", minh.pk),
        "author moved": sql("UPDATE newsroom_bulletin SET created_by_id = %s", minh.pk),
        "version changed": sql("UPDATE newsroom_version SET body = 'khác'"),
        "version deleted": sql("DELETE FROM newsroom_version"),
        "seal changed": sql("UPDATE newsroom_seal SET sha256 = %s", "6" * 64),
        "seal deleted": sql("DELETE FROM newsroom_seal"),
        "sound moved": sql("UPDATE newsroom_versionrendition SET language = 'jra'"),
        "sound deleted": sql("DELETE FROM newsroom_versionrendition"),
    }

    words = {name: refused(run) for name, run in statements.items()}

    assert all("newsroom." in said for said in words.values()), words
    assert version.involvements.get().person == lan


def forge(version: Version, now: datetime, body: str) -> Version:
    return Version.objects.create(
        bulletin=version.bulletin,
        number=9,
        title="Giả",
        body=body,
        klass="normal",
        field=1,
        languages=["vi"],
        drill=False,
        content_sha256="7" * 64,
        created_by=version.created_by,
        created_at=now,
    )


def test_a_version_without_an_editor_cannot_be_approved(
    version: Version, minh: Officer, now: datetime
) -> None:
    forged = forge(version, now, "Giả.")
    actions.seal_version(version_id=forged.pk, sha256=SEALED, at=now)

    words = refused(lambda: insert(forged.pk, minh.pk, "approve", now, SEALED))

    assert "newsroom.no_other_editor" in words


@pytest.mark.parametrize("letter", "\u202e\u2066\u200f")
def test_the_database_takes_no_version_that_reads_otherwise_than_it_is(
    version: Version, now: datetime, letter: str
) -> None:
    words = refused(lambda: forge(version, now, f"Họp lúc {letter}19h."))

    assert "newsroom.text_unreadable" in words


def test_a_drill_stays_a_drill_whoever_asks(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    drill = actions.create_bulletin(
        unit=ia_grai, draft=STORM, drill=True, by=lan, at=now
    )
    real = actions.create_bulletin(unit=ia_grai, draft=STORM, by=lan, at=now)

    made_real = refused(
        sql("UPDATE newsroom_bulletin SET drill = NOT drill WHERE id = %s", drill.pk)
    )
    made_drill = refused(
        sql("UPDATE newsroom_bulletin SET drill = NOT drill WHERE id = %s", real.pk)
    )

    assert "newsroom.bulletin_fixed" in made_real
    assert "newsroom.bulletin_fixed" in made_drill


def test_the_database_keeps_drills_among_the_emergencies(
    bulletin: Bulletin,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Bulletin.objects.filter(pk=bulletin.pk).update(klass="loud")


def test_without_its_guards_the_database_gets_no_approval(
    version: Version, minh: Officer, now: datetime
) -> None:
    audit_guards.lift_guards(connection, "newsroom")

    with pytest.raises(audit_guards.GuardsMissingError):
        approve(version, minh, now)

    audit_guards.set_guards(connection, "newsroom")
    approve(version, minh, now)


def test_a_migrate_puts_the_guards_back(
    version: Version, lan: Officer, now: datetime
) -> None:
    audit_guards.lift_guards(connection, "newsroom")

    call_command("migrate", verbosity=0)

    audit_guards.check_set(connection)
    words = refused(lambda: insert(version.pk, lan.pk, "approve", now, SEALED))
    assert "newsroom.own_bulletin" in words
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("real", [True, False])
def test_raw_sql_makes_no_correction_of_another_kind(
    ia_grai: Unit, lan: Officer, now: datetime, *, real: bool
) -> None:
    wrong = actions.create_bulletin(
        unit=ia_grai, draft=STORM, drill=not real, by=lan, at=now
    )
    right = actions.create_bulletin(
        unit=ia_grai, draft=STORM, drill=not real, corrects=wrong.uid, by=lan, at=now
    )
    other = actions.create_bulletin(
        unit=ia_grai, draft=STORM if real else MEETING, drill=real, by=lan, at=now
    )
    table, kind = "newsroom_bulletin", "newsroom.correction_other_kind"

    def born(**changes: object) -> Callable[[], object]:
        columns = [f.column for f in Bulletin._meta.local_fields if f.column != "id"]
        taken = [changes.get(name, name) for name in columns]
        return sql(
            f"INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {', '.join(str(one) for one in taken)} FROM {table}"
            f" WHERE id = {right.pk}"
        )

    flip = "NOT drill" if connection.vendor == "postgresql" else "1 - drill"
    assert kind in refused(born(uid="'zzzzzzzzzzzz'", drill=flip))
    if real:
        assert kind in refused(born(uid="'zzzzzzzzzzzz'", klass="'normal'"))
        normal = f"UPDATE {table} SET klass = 'normal' WHERE id = {right.pk}"
        assert kind in refused(sql(normal))
    assert "newsroom." in refused(
        sql(f"UPDATE {table} SET drill = {flip} WHERE id = {right.pk}")
    )
    for moved in (
        f"UPDATE {table} SET corrects_id = NULL WHERE id = {right.pk}",
        f"UPDATE {table} SET corrects_id = {wrong.pk} WHERE id = {other.pk}",
    ):
        assert "newsroom." in refused(sql(moved))
    born(uid="'zzzzzzzzzzzz'")()


def test_what_was_sent_as_an_emergency_stays_one_for_its_correction(
    ia_grai: Unit, lan: Officer, now: datetime, freeze: Callable[[Bulletin], Version]
) -> None:
    wrong = actions.create_bulletin(unit=ia_grai, draft=STORM, by=lan, at=now)
    freeze(wrong)
    actions.save_draft(
        bulletin_id=wrong.pk, revision=wrong.revision, draft=MEETING, by=lan, at=now
    )

    with pytest.raises(DraftError) as refusal:
        actions.create_bulletin(
            unit=ia_grai, draft=MEETING, corrects=wrong.uid, by=lan, at=now
        )

    assert refusal.value.code == "newsroom.correction_not_emergency"
