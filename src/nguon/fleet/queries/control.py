"""How far batches of commands are, and for whom one would be."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from nguon.fleet import commands, health, rollouts
from nguon.fleet.models import (
    SPEAKER,
    STATES,
    Batch,
    Command,
    Device,
    DeviceGroup,
    GroupMember,
    Rollout,
)
from nguon.fleet.queries.devices import Wanted
from nguon.fleet.rollouts import Candidate
from nguon.territory.models import Unit


def count_for_command(devices: QuerySet[Device], *, at: datetime) -> dict[str, int]:
    """Count the devices a command would go to: all, connected, speakers, communes."""
    found: dict[str, int] = devices.order_by().aggregate(
        devices=Count("pk"),
        connected=Count("pk", filter=Q(connected=True)),
        speakers=Count("pk", filter=Q(kind=SPEAKER)),
        communes=Count("health__commune", distinct=True),
    )
    return found


def _grounds(wanted: Wanted) -> list[str]:
    """Return the names of the unit and of the group that are asked for."""
    units = Unit.objects.filter(path=wanted.unit_path) if wanted.unit_path else ()
    groups = DeviceGroup.objects.filter(uid=wanted.group) if wanted.group else ()
    return [
        *(unit.full_name for unit in units),
        *(f"nhóm {group.name}" for group in groups),
    ]


def wanted_words(wanted: Wanted) -> str:
    """Return in words what a list was narrowed to."""
    words = _grounds(wanted)
    if wanted.text:
        words.append(f"tên hoặc mã có “{wanted.text}”")
    if wanted.state in health.STATES:
        words.append(health.STATES[wanted.state].lower())
    if wanted.cause in health.CAUSES:
        words.append(health.CAUSES[wanted.cause].lower())
    if wanted.make:
        words.append(f"hãng {wanted.make}")
    if wanted.standing in STATES:
        words.append(STATES[wanted.standing].lower())
    if wanted.connected is not None:
        words.append("đang nối" if wanted.connected else "mất kết nối")
    if wanted.faulty:
        words.append("có lỗi")
    if wanted.grade is not None:
        words.append("theo bằng chứng kêu")
    return ", ".join(word for word in words if word) or "mọi thiết bị của địa bàn"


def count_commands(batches: Sequence[int]) -> dict[int, dict[str, int]]:
    """Count the commands of some batches by state."""
    rows = Command.objects.filter(batch__in=batches).order_by()
    found: dict[int, dict[str, int]] = {}
    for row in rows.values("batch", "state").annotate(n=Count("pk")):
        found.setdefault(row["batch"], {})[row["state"]] = row["n"]
    return found


def count_targets(rollout: Rollout) -> dict[int, dict[str, int]]:
    """Count the devices of a rollout by stage and state."""
    rows = rollout.targets.order_by().values("stage__number", "state")
    found: dict[int, dict[str, int]] = {}
    for row in rows.annotate(n=Count("pk")):
        found.setdefault(row["stage__number"], {})[row["state"]] = row["n"]
    return found


def count_target_causes(rollout: Rollout) -> list[tuple[str, int]]:
    """Return why devices of a rollout failed, the most frequent first."""
    rows = rollout.targets.exclude(cause="").order_by().values("cause")
    found = rows.annotate(n=Count("pk")).order_by("-n", "cause")
    return [(rollouts.cause_words(row["cause"]), row["n"]) for row in found]


def count_command_causes(batch: Batch) -> list[tuple[str, int]]:
    """Return why commands of a batch were not carried out, the most frequent first."""
    rows = batch.commands.exclude(cause="").order_by()
    found = rows.values("cause").annotate(n=Count("pk")).order_by("-n", "cause")
    return [(commands.cause_words(row["cause"]), row["n"]) for row in found]


def list_candidates(devices: QuerySet[Device]) -> list[Candidate]:
    """Return devices as the stages of a rollout choose them."""
    groups: defaultdict[int, set[str]] = defaultdict(set)
    members = GroupMember.objects.filter(device__in=devices.order_by())
    for key, group in members.values_list("device_id", "group__uid"):
        groups[key].add(group)
    rows = devices.order_by("pk").values_list("pk", "uid", "health__commune__uid")
    return [
        Candidate(pk, uid, commune or "", frozenset(groups[pk]))
        for pk, uid, commune in rows
    ]
