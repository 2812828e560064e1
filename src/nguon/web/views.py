"""The first page: what waits for me, what sounds today."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def today(request: HttpRequest) -> HttpResponse:
    """Show an officer's day."""
    return render(request, "web/today.html")
