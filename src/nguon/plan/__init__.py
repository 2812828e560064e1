"""Kế hoạch: the plan of a year, what it gives to whom, and how far each one is.

Owns plans, their documents, tasks, targets and money, what was told about them, and
visits. The signed plan that a device plays is `schedule`'s, not this.
"""
