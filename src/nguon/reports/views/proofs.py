"""The proof of a practice as a file; its page is the registers'."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from nguon.people.answers import officer_of
from nguon.registers.access import reader_of
from nguon.registers.practice.queries import access_proof, name_on
from nguon.reports import paper_pdf, proof_paper


@require_safe
def practice_paper(request: HttpRequest, uid: str) -> HttpResponse:
    """Give the proof of a practice as PDF, with the code that leads to its page."""
    reader = reader_of(officer_of(request), at=timezone.now())
    proof = access_proof(reader, uid)
    link = settings.PUBLIC_URL + reverse("registers:practice_proof", args=[uid])
    name = name_on(proof.run, reader)
    content = paper_pdf.write(proof_paper.describe(proof, name=name, link=link))
    answer = HttpResponse(content, content_type="application/pdf")
    title = f"giay-luyen-tap-{proof.year}-{proof.number}.pdf"
    answer["Content-Disposition"] = f'attachment; filename="{title}"'
    return answer
