"""A QR code as a drawing: an address that a phone reads from a wall or a sheet."""

from dataclasses import dataclass

import qrcode


@dataclass(frozen=True)
class Drawing:
    """A square of `size` modules; `dots` is the dark ones as an SVG path."""

    size: int
    dots: str


def draw(address: str) -> Drawing:
    """Draw an address; a quarter of it may be torn off or dirty."""
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_Q, border=4, box_size=1
    )
    code.add_data(address)
    matrix = code.get_matrix()
    dots = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, dark in enumerate(row)
        if dark
    )
    return Drawing(len(matrix), dots)
