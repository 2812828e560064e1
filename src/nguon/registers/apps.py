"""Django's registration of the registers, and what their database refuses."""

from django.apps import AppConfig

from nguon.audit import guards
from nguon.registers.practice.rules import ORDER


def _kept(table: str) -> guards.Guard:
    return guards.Guard(
        f"nguon_{table}_kept",
        table,
        "DELETE",
        "registers.line_kept: a line ends or is forgotten, it is never deleted",
    )


def _stays_forgotten(table: str) -> guards.Guard:
    return guards.Guard(
        f"nguon_{table}_stays_forgotten",
        table,
        "UPDATE",
        "registers.forgotten: who was forgotten is not named again",
        "OLD.forgotten_at IS NOT NULL AND (NEW.forgotten_at IS NULL"
        " OR NEW.full_name <> '' OR NEW.phone <> '')",
    )


def _in_village(event: str) -> guards.Guard:
    return guards.Guard(
        f"nguon_registers_propagandist_village_{event.lower()}",
        "registers_propagandist",
        event,
        "registers.village: a propagandist is of a village",
        "NOT EXISTS (SELECT 1 FROM territory_unit u"
        " WHERE u.id = NEW.unit_id AND u.kind = 'village')",
    )


def _unfinished(event: str) -> guards.Guard:
    return guards.Guard(
        f"nguon_registers_practicerun_done_{event.lower()}",
        "registers_practicerun",
        event,
        "registers.practice_done: a practice is done when every step is",
        # The number is the length of our own list.
        "NEW.done_at IS NOT NULL AND (SELECT COUNT(*) FROM registers_practicestep s"  # noqa: S608
        f" WHERE s.run_id = NEW.id) < {len(ORDER)}",
    )


PRACTICE = (
    _unfinished("INSERT"),
    _unfinished("UPDATE"),
    guards.Guard(
        "nguon_registers_practicerun_stays",
        "registers_practicerun",
        "UPDATE",
        "registers.practice_over: what is over stays as it is",
        "(OLD.done_at IS NOT NULL OR OLD.given_up_at IS NOT NULL)"
        " AND (NEW.done_at IS DISTINCT FROM OLD.done_at"
        " OR NEW.given_up_at IS DISTINCT FROM OLD.given_up_at"
        " OR NEW.seal <> OLD.seal OR NEW.officer_id <> OLD.officer_id)",
    ),
    _kept("registers_practicerun"),
    guards.Guard(
        "nguon_registers_practicestep_in_order",
        "registers_practicestep",
        "INSERT",
        "registers.practice_step: steps are done in their order, while it is open",
        "EXISTS (SELECT 1 FROM registers_practicerun r WHERE r.id = NEW.run_id"
        " AND (r.done_at IS NOT NULL OR r.given_up_at IS NOT NULL))"
        " OR NEW.number > 1 AND NOT EXISTS (SELECT 1 FROM registers_practicestep s"
        " WHERE s.run_id = NEW.run_id AND s.number = NEW.number - 1)",
    ),
    *guards.append_only("registers_practicestep", "registers.practice_step"),
    guards.Guard(
        "nguon_registers_certificate_earned",
        "registers_certificate",
        "INSERT",
        "registers.certificate: only a practice that is done has a proof",
        "NOT EXISTS (SELECT 1 FROM registers_practicerun r"
        " WHERE r.id = NEW.run_id AND r.done_at IS NOT NULL)",
    ),
    guards.Guard(
        "nguon_registers_certificate_update",
        "registers_certificate",
        "UPDATE",
        "registers.certificate_immutable: a proof is withdrawn, once, never changed",
        "OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL"
        " OR NEW.run_id <> OLD.run_id OR NEW.unit_id <> OLD.unit_id"
        " OR NEW.year <> OLD.year OR NEW.number <> OLD.number"
        " OR NEW.issued_on <> OLD.issued_on",
    ),
    guards.Guard(
        "nguon_registers_certificate_delete",
        "registers_certificate",
        "DELETE",
        "registers.certificate_immutable: a proof is withdrawn, never deleted",
    ),
    guards.Guard(
        "nguon_registers_practiceproof_practised",
        "registers_practiceproof",
        "INSERT",
        "registers.practice_needed: this lesson is done with a certificate",
        "EXISTS (SELECT 1 FROM registers_lesson l"
        " WHERE l.id = NEW.lesson_id AND l.needs_practice)"
        " AND NOT EXISTS (SELECT 1 FROM registers_certificate c"
        " JOIN registers_practicerun r ON r.id = c.run_id"
        " WHERE c.withdrawn_at IS NULL AND c.issued_on <= NEW.proven_on"
        " AND (r.staff_member_id = NEW.staff_member_id"
        " OR r.propagandist_id = NEW.propagandist_id))",
    ),
)
GUARDS = (
    *guards.append_only("registers_registerchange", "registers.change"),
    _kept("registers_station"),
    _kept("registers_staffmember"),
    _kept("registers_propagandist"),
    _stays_forgotten("registers_staffmember"),
    _stays_forgotten("registers_propagandist"),
    _in_village("INSERT"),
    _in_village("UPDATE"),
    *PRACTICE,
)


class RegistersConfig(AppConfig):
    """Registers; guards are set again after every migrate."""

    name = "nguon.registers"

    def ready(self) -> None:
        """Register the guards."""
        guards.register(self, GUARDS)
