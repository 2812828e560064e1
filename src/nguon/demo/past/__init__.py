"""The days behind the demo: what officers did and devices told before it began.

Made by the rooms' own actions at the moments of then, from the device's place in a
list, so the same every time; figures are counted by the rooms that count, as in
service. Words: the days behind, a life (of one device), a desk (of an officer).
"""

from nguon.demo.past.making import DAYS, PastBrokenError, load_past, make

__all__ = ["DAYS", "PastBrokenError", "load_past", "make"]
