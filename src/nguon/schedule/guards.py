"""What the database itself refuses about broadcasts and play records."""

from collections.abc import Collection, Mapping, Sequence

from nguon.audit.guards import NOT_ARCHIVED, Guard, append_only
from nguon.schedule import rules

_APPROVAL = (
    "NOT EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.kind = 'approve'"
    " AND i.person_id = NEW.approved_by_id AND i.approved_sha256 = NEW.sha256)"
)
# Alone only an announcement, of what is sealed, under a standing authority of the
# unit or one above it that two persons put into force.
_NO_AUTHORITY = (
    "NOT EXISTS (SELECT 1 FROM schedule_paper p"
    " JOIN territory_unit above ON above.id = p.unit_id"
    " JOIN territory_unit unit ON unit.id = NEW.unit_id"
    " JOIN newsroom_seal s ON s.version_id = NEW.version_id"
    " WHERE p.id = NEW.authority_id AND p.kind = 'authority' AND p.state = 'approved'"
    " AND NEW.timing = 'announce' AND s.sha256 = NEW.sha256"
    " AND above.path <> '' AND above.path = SUBSTR(unit.path, 1, LENGTH(above.path)))"
)
_PAPER_APPROVAL = (
    "NOT EXISTS (SELECT 1 FROM schedule_paperinvolvement i"
    " WHERE i.paper_id = NEW.id AND i.kind = 'approve'"
    " AND i.person_id = NEW.approved_by_id AND i.approved_sha256 = NEW.sha256)"
)
_NOT_PREPARING = (
    "EXISTS (SELECT 1 FROM schedule_broadcast b"
    " WHERE b.id = {row}.broadcast_id AND b.state <> 'preparing')"
)

_MOMENTS = ("received_at", "prepared_at", "started_at", "ended_at", "shown_at")
_DECISIONS = (
    "approved_by_id",
    "approved_at",
    "returned_by_id",
    "returned_at",
    "cancelled_by_id",
    "cancelled_at",
)
_PAPER_DECISIONS = (
    "submitted_by_id",
    "submitted_at",
    "approved_by_id",
    "approved_at",
    "returned_by_id",
    "returned_at",
    "ended_by_id",
    "ended_at",
)
_DECIDED = "schedule.broadcast_fixed: what is approved does not change"


def _moves(table: Mapping[str, Collection[str]]) -> str:
    """Return the condition of a step that a table of moves does not have."""
    steps = " OR ".join(
        f"(OLD.state = '{old}' AND NEW.state = '{new}')"
        for old, news in table.items()
        for new in sorted(news)
    )
    return f"NEW.state <> OLD.state AND NOT ({steps})"


def _asked(table: str) -> list[Guard]:
    """Return the guards of a list that belongs to what is approved."""
    rows = {"INSERT": "NEW", "UPDATE": "OLD", "DELETE": "OLD"}
    guards = [
        Guard(
            f"nguon_{table}_{event.lower()}",
            table,
            event,
            _DECIDED,
            _NOT_PREPARING.format(row=row),
        )
        for event, row in rows.items()
    ]
    moved = Guard(
        f"nguon_{table}_moved", table, "UPDATE", _DECIDED,
        "NEW.broadcast_id <> OLD.broadcast_id",
    )  # fmt: skip
    return [*guards, moved]


def _once(columns: Sequence[str]) -> str:
    """Return the condition that a moment, once set, is changed."""
    return " OR ".join(
        f"(OLD.{name} IS NOT NULL AND NEW.{name} IS DISTINCT FROM OLD.{name})"
        for name in columns
    )


GUARDS: list[Guard] = [
    *append_only("schedule_localisation", "schedule.localisation"),
    Guard(
        "nguon_origin_withdrawn",
        "schedule_broadcast",
        "UPDATE",
        "schedule.origin_withdrawn: a commune's version does not outlive its origin",
        "NEW.state = 'approved' AND OLD.state <> 'approved' AND EXISTS ("
        "SELECT 1 FROM schedule_localisation l"
        " JOIN newsroom_version v ON v.bulletin_id = l.bulletin_id"
        " JOIN schedule_inboxentry e ON e.id = l.entry_id"
        " JOIN schedule_broadcast o ON o.id = e.broadcast_id"
        " WHERE v.id = NEW.version_id AND o.state <> 'approved')",
    ),
    Guard(
        "nguon_broadcast_approval",
        "schedule_broadcast",
        "UPDATE",
        "schedule.not_approved: released only with an approval of this hash",
        f"NEW.state = 'approved' AND {_APPROVAL} AND {_NO_AUTHORITY}",
    ),
    Guard(
        "nguon_broadcast_checked",
        "schedule_broadcast",
        "UPDATE",
        "schedule.not_checked: in two steps somebody checks before it is approved",
        "NEW.state = 'approved' AND OLD.state <> 'approved' AND NEW.steps = 2"
        " AND NEW.authority_id IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM newsroom_involvement i WHERE i.version_id = NEW.version_id"
        " AND i.kind = 'check' AND i.approved_sha256 = NEW.sha256)",
    ),
    Guard(
        "nguon_broadcast_born",
        "schedule_broadcast",
        "INSERT",
        "schedule.not_approved: a broadcast begins unapproved",
        "NEW.state <> 'preparing'",
    ),
    Guard(
        "nguon_broadcast_moves",
        "schedule_broadcast",
        "UPDATE",
        "schedule.move_not_allowed: not a step of a broadcast's life",
        _moves(rules.MOVES),
    ),
    Guard(
        "nguon_broadcast_kept",
        "schedule_broadcast",
        "DELETE",
        "schedule.broadcast_immutable: cancelled, never deleted",
    ),
    Guard(
        "nguon_broadcast_fixed",
        "schedule_broadcast",
        "UPDATE",
        _DECIDED,
        "OLD.version_id <> NEW.version_id OR OLD.timing <> NEW.timing"
        " OR OLD.unit_id <> NEW.unit_id OR OLD.submitted_by_id <> NEW.submitted_by_id"
        " OR (OLD.state <> 'preparing' AND (OLD.sha256 <> NEW.sha256"
        " OR OLD.starts_at IS DISTINCT FROM NEW.starts_at"
        " OR OLD.time_of_day IS DISTINCT FROM NEW.time_of_day"
        " OR OLD.first_date IS DISTINCT FROM NEW.first_date"
        " OR OLD.last_date IS DISTINCT FROM NEW.last_date"
        " OR OLD.expires_at IS DISTINCT FROM NEW.expires_at))"
        " OR OLD.uid <> NEW.uid OR OLD.steps <> NEW.steps"
        " OR OLD.targeted <> NEW.targeted"
        " OR (OLD.authority_id IS NOT NULL"
        " AND NEW.authority_id IS DISTINCT FROM OLD.authority_id)"
        " OR (OLD.state NOT IN ('preparing', 'waiting')"
        " AND NEW.authority_id IS DISTINCT FROM OLD.authority_id)"
        f" OR {_once(_DECISIONS)}",
    ),
    Guard(
        "nguon_audience_late",
        "schedule_audiencemember",
        "INSERT",
        "schedule.audience_fixed: the audience was heard of when it was sent",
        _NOT_PREPARING.format(row="NEW"),
    ),
    *append_only("schedule_audiencemember", "schedule.audience"),
    Guard(
        "nguon_chosen_group_late",
        "schedule_chosengroup",
        "INSERT",
        "schedule.chosen_group_fixed: the groups were heard of when it was sent",
        _NOT_PREPARING.format(row="NEW"),
    ),
    *append_only("schedule_chosengroup", "schedule.chosen_group"),
    Guard(
        "nguon_airing_fixed",
        "schedule_airing",
        "UPDATE",
        "schedule.airing_immutable: only withdrawn, never changed",
        "OLD.item <> NEW.item OR OLD.starts_at <> NEW.starts_at"
        " OR OLD.ends_at <> NEW.ends_at OR OLD.slot <> NEW.slot"
        " OR OLD.title <> NEW.title OR NEW.paper_id IS NULL"
        " OR OLD.broadcast_id IS DISTINCT FROM NEW.broadcast_id"
        " OR OLD.paper_id IS DISTINCT FROM NEW.paper_id"
        " OR OLD.unit_id IS DISTINCT FROM NEW.unit_id",
    ),
    Guard(
        "nguon_airing_kept",
        "schedule_airing",
        "DELETE",
        "schedule.airing_immutable: never deleted",
    ),
    *_asked("schedule_broadcast_units"),
    *_asked("schedule_broadcast_devices"),
    *_asked("schedule_broadcast_carriers"),
    Guard(
        "nguon_airing_approved",
        "schedule_airing",
        "INSERT",
        "schedule.not_approved: only what is approved has a time on air",
        "(NEW.broadcast_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM schedule_broadcast b"
        " WHERE b.id = NEW.broadcast_id AND b.state = 'approved'))"
        " OR (NEW.paper_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM schedule_paper p"
        " WHERE p.id = NEW.paper_id AND p.state = 'approved'))",
    ),
    Guard(
        "nguon_paper_approval",
        "schedule_paper",
        "UPDATE",
        "schedule.not_approved: in force only with an approval of this hash",
        f"NEW.state = 'approved' AND OLD.state <> 'approved' AND {_PAPER_APPROVAL}",
    ),
    Guard(
        "nguon_paper_born",
        "schedule_paper",
        "INSERT",
        "schedule.not_approved: a paper begins as a draft",
        "NEW.state <> 'draft'",
    ),
    Guard(
        "nguon_paper_moves",
        "schedule_paper",
        "UPDATE",
        "schedule.move_not_allowed: not a step of a paper's life",
        _moves(rules.PAPER_MOVES),
    ),
    Guard(
        "nguon_paper_kept",
        "schedule_paper",
        "DELETE",
        "schedule.paper_immutable: ended, never deleted",
    ),
    Guard(
        "nguon_paper_fixed",
        "schedule_paper",
        "UPDATE",
        "schedule.paper_fixed: what was sent for approval does not change",
        "OLD.uid <> NEW.uid OR OLD.kind <> NEW.kind OR OLD.unit_id <> NEW.unit_id"
        " OR OLD.number <> NEW.number"
        " OR (OLD.state <> 'draft' AND (OLD.sha256 <> NEW.sha256"
        " OR CAST(OLD.body AS TEXT) <> CAST(NEW.body AS TEXT)"
        " OR OLD.subject <> NEW.subject OR OLD.first_date <> NEW.first_date"
        " OR OLD.last_date IS DISTINCT FROM NEW.last_date"
        " OR OLD.submitted_by_id IS DISTINCT FROM NEW.submitted_by_id))"
        f" OR {_once(_PAPER_DECISIONS)}",
    ),
    *append_only("schedule_paperinvolvement", "schedule.paper_involvement"),
    Guard(
        "nguon_inbox_fixed",
        "schedule_inboxentry",
        "UPDATE",
        "schedule.inbox_fixed: an entry stays about its bulletin and commune",
        "NEW.unit_id <> OLD.unit_id OR NEW.broadcast_id <> OLD.broadcast_id"
        " OR NEW.arrived_at <> OLD.arrived_at",
    ),
    Guard(
        "nguon_inbox_used",
        "schedule_inboxentry",
        "UPDATE",
        "schedule.material_used: what has sounded here was taken",
        "OLD.state = 'taken' AND NEW.state <> 'taken'"
        " AND EXISTS (SELECT 1 FROM schedule_airing a WHERE a.unit_id = NEW.unit_id"
        " AND a.broadcast_id = NEW.broadcast_id AND a.withdrawn_at IS NULL"
        " AND a.starts_at <= NEW.decided_at)",
    ),
    Guard(
        "nguon_inbox_kept",
        "schedule_inboxentry",
        "DELETE",
        "schedule.inbox_immutable: decided on, never deleted",
    ),
    Guard(
        "nguon_live_authority",
        "schedule_livesession",
        "INSERT",
        "schedule.no_authority: alone only under a standing authority in force",
        "NEW.ended_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM schedule_paper p"
        " WHERE p.id = NEW.paper_id AND p.kind = 'authority'"
        " AND p.state = 'approved')",
    ),
    Guard(
        "nguon_live_fixed",
        "schedule_livesession",
        "UPDATE",
        "schedule.live_fixed: what was begun does not change, what ended is over",
        "OLD.uid <> NEW.uid OR OLD.item <> NEW.item OR OLD.unit_id <> NEW.unit_id"
        " OR OLD.paper_id <> NEW.paper_id OR OLD.officer_id <> NEW.officer_id"
        " OR OLD.started_at <> NEW.started_at OR NEW.ends_at > OLD.ends_at"
        " OR (OLD.ended_at IS NOT NULL AND NEW.segments > OLD.segments)"
        " OR (OLD.cause <> '' AND NEW.cause <> OLD.cause)"
        f" OR {_once(('ended_at', 'settled_at'))}",
    ),
    Guard(
        "nguon_live_kept",
        "schedule_livesession",
        "DELETE",
        "schedule.live_immutable: ended, never deleted",
    ),
    Guard(
        "nguon_play_over",
        "schedule_playrecord",
        "UPDATE",
        "schedule.play_immutable: a play that is over is never edited",
        "OLD.outcome <> '' AND (NEW.outcome <> OLD.outcome"
        " OR NEW.cause <> OLD.cause OR NEW.sounded_ms <> OLD.sounded_ms"
        " OR NEW.level_dbfs IS DISTINCT FROM OLD.level_dbfs"
        " OR NEW.started_at IS DISTINCT FROM OLD.started_at"
        " OR NEW.ended_at IS DISTINCT FROM OLD.ended_at)",
    ),
    Guard(
        "nguon_play_once",
        "schedule_playrecord",
        "UPDATE",
        "schedule.play_immutable: a moment is written once",
        "NEW.item <> OLD.item OR NEW.device_id <> OLD.device_id"
        " OR NEW.unit_id <> OLD.unit_id OR NEW.broadcast_id <> OLD.broadcast_id"
        " OR NEW.planned_at <> OLD.planned_at OR NEW.late_joiner <> OLD.late_joiner"
        f" OR {_once(_MOMENTS)}",
    ),
    Guard(
        "nguon_play_kept",
        "schedule_playrecord",
        "DELETE",
        "schedule.play_immutable: never deleted before it is archived",
        NOT_ARCHIVED.format(model="schedule.PlayRecord", column="planned_at"),
    ),
]
