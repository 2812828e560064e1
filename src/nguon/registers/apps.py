"""Django's registration of the registers, and what their database refuses."""

from django.apps import AppConfig

from nguon.audit import guards


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


GUARDS = (
    *guards.append_only("registers_registerchange", "registers.change"),
    _kept("registers_station"),
    _kept("registers_staffmember"),
    _kept("registers_propagandist"),
    _stays_forgotten("registers_staffmember"),
    _stays_forgotten("registers_propagandist"),
    _in_village("INSERT"),
    _in_village("UPDATE"),
)


class RegistersConfig(AppConfig):
    """Registers; guards are set again after every migrate."""

    name = "nguon.registers"

    def ready(self) -> None:
        """Register the guards."""
        guards.register(self, GUARDS)
