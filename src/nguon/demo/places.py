"""Where the demo plays: real communes of the new Gia Lai; the folder of its data."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
PROVINCE_CODE = "52"
# Lan's and Minh's commune, Hoa's commune, and a ward by the sea.
HOME, OTHER, WARD = "23764", "23677", "21583"
# More of them, from the mountains to the coast, where the demo has days behind it.
MORE = ("23617", "23941", "21664", "21853")
