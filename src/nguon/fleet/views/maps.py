"""The fleet on the map: the province by commune, a commune by device."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.fleet import access, picture, queries
from nguon.people import access as people
from nguon.people.answers import officer_of, wants_json


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the map of an officer's ground: whole, `?gan=` a commune, or `?xa=` one."""
    at = timezone.now()
    officer = officer_of(request)
    devices = access.fence_devices(officer, at=at)
    unit = None
    if request.GET.get("xa"):
        unit = people.access_unit(officer, request.GET["xa"][:12], at=at)
        devices = devices.filter(unit__path__startswith=unit.path)
    counts = queries.count_communes(devices, at=at)
    if unit is None and len(counts) == 1:
        unit = people.access_unit(officer, counts[0].uid, at=at)
    near = request.GET.get("gan", "")[:12]
    spots = queries.list_spots(devices) if unit else []
    drawn = (
        picture.draw_commune(unit.code, spots)
        if unit
        else picture.draw_communes(counts, near=near)
    )
    if wants_json(request):
        return JsonResponse(
            {
                "communes": [
                    {
                        "unit": one.uid,
                        "name": one.name,
                        "states": one.states,
                        "audible": one.audible,
                    }
                    for one in counts
                ],
                "devices": [vars(spot) for spot in spots],
            }
        )
    context = {
        "unit": unit,
        "map": drawn,
        "counts": counts,
        "near": near,
        "total": sum(one.total for one in counts),
        "silent": sum(one.silent for one in counts),
        "audible": sum(one.audible for one in counts),
    }
    return render(request, "fleet/map.html", context)
