"""Who is told of a merge: where their role is now, and what will not sound any more.

Called inside the transaction of the run or the undo.
"""

from collections.abc import Sequence
from datetime import datetime

from nguon.people import actions as people
from nguon.people import queries
from nguon.people.models import Officer
from nguon.reorganization import access
from nguon.reorganization.ground import Ground, chunks
from nguon.reorganization.models import Merge
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit

# How many titles a notice names.
LISTED = 5


def tell_officers(merge: Merge, verb: str, side: str, *, at: datetime) -> None:
    """Tell who held a role where it is held now."""
    rows = merge.moved.filter(kind="people.Role", undone_at__isnull=side == "new")
    by_unit: dict[int, list[int]] = {}
    for unit, key in rows.values_list(side, "key"):
        by_unit.setdefault(unit, []).append(key)
    units = Unit.objects.in_bulk(by_unit)
    for key, roles in sorted(by_unit.items()):
        officers: list[Officer] = []
        for part in chunks(roles):
            some = Officer.objects.filter(roles__in=part)
            officers += some.filter(is_active=True).distinct()
        people.notify(
            officers=officers,
            subject=f"Đơn vị của bạn {verb} {units[key].full_name}"[:200],
            body=(
                f"“{merge.title}”: vai trò của bạn {verb} ở {units[key].full_name}. "
                "Việc đã xảy ra ở đơn vị cũ vẫn đọc được. Xem trong trang Tài khoản."
            ),
            url="/tai-khoan/",
            at=at,
        )


def tell_unheard(
    merge: Merge, ground: Ground, to_come: Sequence[tuple[int, int]], *, at: datetime
) -> None:
    """Tell who works at a new unit what was approved and will not sound any more.

    Where nobody does, the nearest approvers above: no speaker is silent unknown.
    """
    by_unit: dict[int, set[int]] = {}
    for broadcast, old in to_come:
        new = ground.heir(old)
        if new is not None:
            by_unit.setdefault(new, set()).add(broadcast)
    for key, broadcasts in sorted(by_unit.items()):
        unit = Unit.objects.get(pk=key)
        rows = Broadcast.objects.filter(pk__in=sorted(broadcasts)[:LISTED])
        names = [f"“{row.version.shown_title}”" for row in rows.order_by("pk")]
        more = len(broadcasts) - len(names)
        rest = f" và {more} lượt phát nữa" if more else ""
        holders = {
            officer.pk: officer
            for kind in access.KINDS
            for officer in queries.list_holders(unit, kind=kind, at=at)
        }
        people.notify(
            officers=holders.values() or queries.list_approvers(unit, at=at),
            subject=f"{len(broadcasts)} lượt phát phải duyệt lại ở {unit.full_name}",
            body=(
                f"“{merge.title}”: loa đã chuyển không phát {', '.join(names)}{rest}, "
                "vì đã duyệt cho đơn vị cũ. Hãy chép bản tin sang đơn vị mới và gửi "
                "duyệt lại."
            ),
            url="/ban-tin/",
            at=at,
        )
