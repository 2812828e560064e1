"""What the database itself refuses about bulletins, on SQLite and PostgreSQL.

The machinery is `audit.guards`; here stand the sentences. `check_set` is asked before
each approval: no approval is recorded in a database that would not refuse a wrong one.
"""

from nguon.audit.guards import Guard, append_only

_NO_OTHER_EDITOR = (
    "NOT EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.kind = 'edit'"
    " AND i.person_id <> NEW.person_id)"
)
_OWN_HAND = (
    "EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.person_id = NEW.person_id)"
    " OR EXISTS (SELECT 1 FROM newsroom_version v"
    " JOIN newsroom_editor e ON e.bulletin_id = v.bulletin_id"
    " WHERE v.id = NEW.version_id AND e.person_id = NEW.person_id)"
    " OR EXISTS (SELECT 1 FROM newsroom_version v"
    " JOIN newsroom_bulletin b ON b.id = v.bulletin_id"
    " WHERE v.id = NEW.version_id AND (v.created_by_id = NEW.person_id"
    " OR b.created_by_id = NEW.person_id OR b.saved_by_id = NEW.person_id))"
)
_OTHER_HASH = (
    "NOT EXISTS (SELECT 1 FROM newsroom_seal s"
    " WHERE s.version_id = NEW.version_id AND s.sha256 = NEW.approved_sha256)"
)
_APPROVED = (
    "EXISTS (SELECT 1 FROM newsroom_involvement i"
    " WHERE i.version_id = NEW.version_id AND i.kind <> 'edit')"
)

# What was ever an emergency is set right by an emergency, a drill by a drill: else the
# correction would not reach who heard the false alarm.
_OTHER_KIND = (
    "EXISTS (SELECT 1 FROM newsroom_bulletin c WHERE c.id = {corrects}"
    " AND (c.drill <> NEW.drill OR (NEW.klass <> 'emergency'"
    " AND (c.klass = 'emergency' OR EXISTS (SELECT 1 FROM newsroom_version v"
    " WHERE v.bulletin_id = c.id AND v.klass = 'emergency')))))"
)
_CORRECTION = "newsroom.correction_other_kind: a correction is of the kind it corrects"
_CORRECTED = (
    "(SELECT b.corrects_id FROM newsroom_bulletin b WHERE b.id = NEW.bulletin_id)"
)

# What turns the order of shown letters around (`rules`): the approver would
# read another text than the one that is spoken.
_TURNED = " OR ".join(
    f"NEW.{column} LIKE '%{letter}%'"
    for column in ("title", "body")
    for letter in map(
        chr, (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    )
)

GUARDS: list[Guard] = [
    *append_only("newsroom_involvement", "newsroom.involvement"),
    *append_only("newsroom_version", "newsroom.version"),
    *append_only("newsroom_seal", "newsroom.seal"),
    *append_only("newsroom_editor", "newsroom.editor"),
    *append_only("newsroom_recording", "newsroom.recording"),
    *append_only("newsroom_revision", "newsroom.revision"),
    *append_only("newsroom_payrate", "newsroom.rate"),
    *append_only("newsroom_comment", "newsroom.comment"),
    *append_only("newsroom_intake", "newsroom.intake"),
    *append_only("newsroom_versionrendition", "newsroom.sound"),
    *append_only("newsroom_versionattachment", "newsroom.attachment"),
    Guard(
        "nguon_version_reads_as_shown",
        "newsroom_version",
        "INSERT",
        "newsroom.text_unreadable: letters that nobody sees turn the text around",
        _TURNED,
    ),
    Guard(
        "nguon_version_attachment_in_time",
        "newsroom_versionattachment",
        "INSERT",
        "newsroom.attachment_immutable: a sealed version shows nothing more",
        "EXISTS (SELECT 1 FROM newsroom_seal s WHERE s.version_id = NEW.version_id)",
    ),
    Guard(
        "nguon_version_channel_fixed",
        "newsroom_versionchannel",
        "UPDATE",
        "newsroom.channel_immutable: what a version says stays as approved",
        "NEW.version_id <> OLD.version_id OR NEW.channel <> OLD.channel"
        " OR NEW.text <> OLD.text",
    ),
    Guard(
        "nguon_version_channel_in_time",
        "newsroom_versionchannel",
        "INSERT",
        "newsroom.channel_immutable: a sealed version says nothing more",
        "EXISTS (SELECT 1 FROM newsroom_seal s WHERE s.version_id = NEW.version_id)",
    ),
    Guard(
        "nguon_version_channel_kept",
        "newsroom_versionchannel",
        "DELETE",
        "newsroom.channel_immutable: never deleted",
    ),
    Guard(
        "nguon_approval_own",
        "newsroom_involvement",
        "INSERT",
        "newsroom.own_bulletin: who edited a version never checks or approves it",
        f"NEW.kind <> 'edit' AND ({_OWN_HAND})",
    ),
    Guard(
        "nguon_approval_second_person",
        "newsroom_involvement",
        "INSERT",
        "newsroom.no_other_editor: an approval needs an editor before it",
        f"NEW.kind <> 'edit' AND NOT ({_OWN_HAND}) AND {_NO_OTHER_EDITOR}",
    ),
    Guard(
        "nguon_approval_hash",
        "newsroom_involvement",
        "INSERT",
        "newsroom.changed: an approval is about the sealed hash",
        f"NEW.kind <> 'edit' AND NOT ({_OWN_HAND}) AND NOT ({_NO_OTHER_EDITOR})"
        f" AND {_OTHER_HASH}",
    ),
    Guard(
        "nguon_edit_after_approval",
        "newsroom_involvement",
        "INSERT",
        "newsroom.already_approved: an approved version has no new editor",
        f"NEW.kind = 'edit' AND {_APPROVED}",
    ),
    Guard(
        "nguon_bulletin_fixed",
        "newsroom_bulletin",
        "UPDATE",
        "newsroom.bulletin_fixed: drill, unit, author and what it corrects stay",
        "NEW.corrects_id IS DISTINCT FROM OLD.corrects_id"
        " OR NEW.drill <> OLD.drill OR NEW.unit_id <> OLD.unit_id"
        " OR NEW.created_by_id <> OLD.created_by_id OR NEW.uid <> OLD.uid",
    ),
    Guard(
        "nguon_supplier_fixed",
        "newsroom_supplier",
        "UPDATE",
        "newsroom.supplier_fixed: a source is ended, never renamed",
        "NEW.unit_id <> OLD.unit_id OR NEW.name <> OLD.name",
    ),
    Guard(
        "nguon_arrival_fixed",
        "newsroom_arrival",
        "UPDATE",
        "newsroom.arrival_fixed: what was decided, and what it was about, stays",
        "NEW.unit_id <> OLD.unit_id OR NEW.origin <> OLD.origin"
        " OR (OLD.state <> 'waiting' AND (NEW.state <> OLD.state"
        " OR NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id"
        " OR NEW.bulletin_id IS DISTINCT FROM OLD.bulletin_id"
        " OR NEW.title <> OLD.title OR NEW.body <> OLD.body))",
    ),
    Guard(
        "nguon_arrival_kept",
        "newsroom_arrival",
        "DELETE",
        "newsroom.arrival_fixed: never deleted",
    ),
    Guard(
        "nguon_arrival_taken",
        "newsroom_arrival",
        "UPDATE",
        "newsroom.arrival_fixed: the draft is of its unit, begun by who took it",
        "NEW.bulletin_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM newsroom_bulletin b"
        " WHERE b.id = NEW.bulletin_id AND b.unit_id = NEW.unit_id"
        " AND b.created_by_id = NEW.decided_by_id)",
    ),
    *(
        Guard(
            f"nguon_correction_{event.lower()}",
            "newsroom_bulletin",
            event,
            _CORRECTION,
            f"NEW.corrects_id IS NOT NULL AND {_OTHER_KIND}".format(
                corrects="NEW.corrects_id"
            ),
        )
        for event in ("INSERT", "UPDATE")
    ),
    Guard(
        "nguon_correction_version",
        "newsroom_version",
        "INSERT",
        _CORRECTION,
        _OTHER_KIND.format(corrects=_CORRECTED),
    ),
    Guard(
        "nguon_version_as_drilled",
        "newsroom_version",
        "INSERT",
        "newsroom.bulletin_fixed: a version is a drill as its bulletin is",
        "NOT EXISTS (SELECT 1 FROM newsroom_bulletin b"
        " WHERE b.id = NEW.bulletin_id AND b.drill = NEW.drill)",
    ),
    Guard(
        "nguon_rendition_ready_kept",
        "newsroom_rendition",
        "UPDATE",
        "newsroom.rendition_immutable: a sound that is ready stays as it is",
        "OLD.state = 'ready' AND (NEW.state <> 'ready'"
        " OR NEW.media_id <> OLD.media_id OR NEW.key <> OLD.key"
        " OR (OLD.compacted_at IS NOT NULL"
        " AND NEW.compact_id IS DISTINCT FROM OLD.compact_id)"
        " OR NEW.spoken_text <> OLD.spoken_text)",
    ),
]
