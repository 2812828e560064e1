"""What the database itself refuses about broadcasts and play records."""

from nguon.audit.guards import Guard, append_only

_APPROVAL = (
    "NOT EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.kind = 'approve'"
    " AND i.person_id = NEW.approved_by_id AND i.approved_sha256 = NEW.sha256)"
)
_NOT_PREPARING = (
    "EXISTS (SELECT 1 FROM schedule_broadcast b"
    " WHERE b.id = {row}.broadcast_id AND b.state <> 'preparing')"
)

GUARDS: list[Guard] = [
    Guard(
        "nguon_broadcast_approval",
        "schedule_broadcast",
        "UPDATE",
        "schedule.not_approved: released only with an approval of this hash",
        f"NEW.state = 'approved' AND {_APPROVAL}",
    ),
    Guard(
        "nguon_broadcast_born",
        "schedule_broadcast",
        "INSERT",
        "schedule.not_approved: a broadcast begins unapproved",
        "NEW.state <> 'preparing'",
    ),
    Guard(
        "nguon_broadcast_fixed",
        "schedule_broadcast",
        "UPDATE",
        "schedule.broadcast_fixed: what is approved does not change",
        "OLD.version_id <> NEW.version_id OR OLD.timing <> NEW.timing"
        " OR OLD.unit_id <> NEW.unit_id OR OLD.submitted_by_id <> NEW.submitted_by_id"
        " OR (OLD.state <> 'preparing' AND (OLD.sha256 <> NEW.sha256"
        " OR OLD.starts_at IS DISTINCT FROM NEW.starts_at"
        " OR OLD.time_of_day IS DISTINCT FROM NEW.time_of_day"
        " OR OLD.first_date IS DISTINCT FROM NEW.first_date"
        " OR OLD.last_date IS DISTINCT FROM NEW.last_date"
        " OR OLD.expires_at IS DISTINCT FROM NEW.expires_at))"
        " OR (OLD.approved_by_id IS NOT NULL"
        " AND OLD.approved_by_id IS DISTINCT FROM NEW.approved_by_id)",
    ),
    Guard(
        "nguon_audience_late",
        "schedule_audiencemember",
        "INSERT",
        "schedule.audience_fixed: the audience was heard of when it was sent",
        _NOT_PREPARING.format(row="NEW"),
    ),
    *append_only("schedule_audiencemember", "schedule.audience"),
    *append_only("schedule_airing", "schedule.airing"),
    Guard(
        "nguon_play_over",
        "schedule_playrecord",
        "UPDATE",
        "schedule.play_immutable: a play that is over is never edited",
        "OLD.outcome <> '' AND (NEW.outcome <> OLD.outcome"
        " OR NEW.cause <> OLD.cause OR NEW.sounded_ms <> OLD.sounded_ms"
        " OR NEW.item <> OLD.item OR NEW.device_id <> OLD.device_id"
        " OR NEW.started_at IS DISTINCT FROM OLD.started_at"
        " OR NEW.ended_at IS DISTINCT FROM OLD.ended_at)",
    ),
    Guard(
        "nguon_play_kept",
        "schedule_playrecord",
        "DELETE",
        "schedule.play_immutable: never deleted",
    ),
]
