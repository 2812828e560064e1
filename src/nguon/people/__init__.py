"""People: officers (cán bộ), their roles at a unit, sign-in, deputies, notices.

Owns the one fence of rights: a role at a unit covers that unit and what lies
under it on today's map. Words: officer, role, deputy, absence, notice.
"""
