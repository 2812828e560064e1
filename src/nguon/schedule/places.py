"""Where audiences meet: units within units, devices within units. Pure.

`Places` tells for each named unit or device in what it stands, itself included. An
audience that names nobody is everybody. A group may have members anywhere, so it
meets everybody: two things that might sound at once on one device are kept apart.
"""

from collections.abc import Mapping

from nguon.core.messages import Audience

Places = Mapping[str, frozenset[str]]
EVERYBODY = Audience()


def meet(one: Audience, other: Audience, where: Places) -> bool:
    """Say whether some device could belong to both audiences."""
    if EVERYBODY in (one, other) or one.groups or other.groups:
        return True
    return any(
        _lies_in(a, b, where) or _lies_in(b, a, where)
        for a in _names(one)
        for b in _names(other)
    )


def narrow(one: Audience, other: Audience, where: Places) -> Audience | None:
    """Return who belongs to both audiences, or None when nobody does.

    Of groups only the same names are common: who else may be, nobody here knows.
    """
    if one == EVERYBODY:
        return other
    if other == EVERYBODY or one == other:
        return one
    common = {a for a in _names(one) if _lies_in_any(a, other, where)}
    common |= {b for b in _names(other) if _lies_in_any(b, one, where)}
    found = Audience(
        units=tuple(sorted(common & {*one.units, *other.units})),
        devices=tuple(sorted(common & {*one.devices, *other.devices})),
        groups=tuple(sorted({*one.groups} & {*other.groups})),
    )
    return None if found == EVERYBODY else found


def _names(audience: Audience) -> tuple[str, ...]:
    return (*audience.units, *audience.devices)


def _lies_in_any(name: str, audience: Audience, where: Places) -> bool:
    return any(_lies_in(name, other, where) for other in _names(audience))


def _lies_in(name: str, other: str, where: Places) -> bool:
    return name == other or other in where.get(name, frozenset())
