"""What the database itself refuses about the listening sample and reported figures."""

from nguon.audit.guards import Guard, append_only
from nguon.indicators import listening

_FIXED = (
    "unit_id", "year", "quarter", "bulletin_id", "first_date", "after_date", "margin",
    "confidence", "design_effect", "take", "needed", "people", "seed", "drawn_by_id",
    "drawn_at",
)  # fmt: skip
_CHANGED = " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in _FIXED)
_ANSWERED = (
    "EXISTS (SELECT 1 FROM indicators_listeninganswer a"
    " JOIN indicators_listeningplace p ON p.id = a.place_id"
    " WHERE p.round_id = NEW.id)"
)
_ASK = "(SELECT p.ask FROM indicators_listeningplace p WHERE p.id = NEW.place_id)"
_MET = (
    "(SELECT COUNT(*) FROM indicators_listeninganswer a"
    " WHERE a.place_id = NEW.place_id AND a.met)"
)

_RETOLD = " OR ".join(
    f"NEW.{column} <> OLD.{column}"
    for column in (
        "indicator", "unit_id", "first_date", "after_date", "above", "submission",
        "recorded_by_id", "recorded_at",
    )
)  # fmt: skip
GUARDS = (
    *append_only("indicators_listeninganswer", "indicators.listening_answer"),
    *append_only("indicators_listeningplace", "indicators.listening_place"),
    Guard(
        "nguon_listening_round_fixed",
        "indicators_listeninground",
        "UPDATE",
        "indicators.listening_round_immutable: a draw is never changed",
        f"{_CHANGED} OR OLD.ended_at IS NOT NULL",
    ),
    Guard(
        "nguon_listening_round_kept",
        "indicators_listeninground",
        "DELETE",
        "indicators.listening_round_immutable: a draw is never deleted",
    ),
    Guard(
        "nguon_listening_round_answered",
        "indicators_listeninground",
        "UPDATE",
        "indicators.listening_answered: what people answered is not dropped",
        f"NEW.dropped AND {_ANSWERED}",
    ),
    Guard(
        "nguon_listening_round_unanswered",
        "indicators_listeninground",
        "UPDATE",
        "indicators.listening_unanswered: nobody ends what nobody has answered",
        f"NEW.ended_by_id IS NOT NULL AND NOT NEW.dropped AND NOT {_ANSWERED}",
    ),
    Guard(
        "nguon_listening_answer_in_time",
        "indicators_listeninganswer",
        "INSERT",
        "indicators.listening_over: no answer comes after the end",
        "EXISTS (SELECT 1 FROM indicators_listeninground r"
        " JOIN indicators_listeningplace p ON p.round_id = r.id"
        " WHERE p.id = NEW.place_id AND r.ended_at IS NOT NULL)",
    ),
    Guard(
        "nguon_listening_answer_limited",
        "indicators_listeninganswer",
        "INSERT",
        "indicators.listening_full: more answers than a village was asked for",
        f"NEW.number > {listening.ROWS_FOR_ONE} * {_ASK}"
        f" OR (NEW.met AND {_MET} >= {_ASK})",
    ),
    Guard(
        "nguon_indicators_reported_update",
        "indicators_reportedfigure",
        "UPDATE",
        "indicators.reported_immutable: withdrawn once, never changed",
        f"OLD.withdrawn_at IS NOT NULL OR {_RETOLD}"
        " OR COALESCE(NEW.below, -1) <> COALESCE(OLD.below, -1)",
    ),
    Guard(
        "nguon_indicators_reported_delete",
        "indicators_reportedfigure",
        "DELETE",
        "indicators.reported_immutable: never deleted",
    ),
)
