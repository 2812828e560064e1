"""The proof of a practice as a paper of the State, in the words of its page."""

from django.utils import timezone

from nguon.registers.models import Certificate
from nguon.registers.practice import queries, rules
from nguon.reports.papers import Paper


def describe(proof: Certificate, *, name: str, link: str) -> Paper:
    """Return the paper of a proof for `name`; `link` is where it is held against."""
    run = proof.run
    officer = run.officer.full_name
    account = f" (làm trên tài khoản của {officer})" if name != officer else ""
    steps = [
        f"{number}. {rules.STEPS[step]}, lúc {timezone.localtime(at):%H:%M %d/%m/%Y}"
        for number, (step, at) in enumerate(queries.moments_of(run), 1)
        if at is not None
    ]
    seal = " ".join(run.seal[at : at + 4] for at in (0, 4, 8))
    return Paper(
        unit=proof.unit.full_name,
        place=proof.unit.name,
        kind="GIẤY XÁC NHẬN",
        title="Luyện tập trên hệ thống thông tin nguồn",
        number=f"{proof.number}/{proof.year}",
        issued_on=proof.issued_on,
        opening=[
            f"Hệ thống thông tin nguồn ghi nhận: {name}{account},"
            f" {proof.unit.full_name}, {rules.PROVEN}",
            f"Bản tin: “{run.title}”. Mã nội dung: {seal}. Mã lượt: {run.uid}.",
        ],
        rows=[],
        texts=[("Các bước đã làm", "\n".join(steps)), ("Ghi chú", rules.PROOF_NOTE)],
        recipients=[],
        is_draft=False,
        link=link,
    )
