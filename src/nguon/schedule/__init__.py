"""Schedule (lịch phát): when and where a bulletin sounds, and what really did.

Owns broadcasts, their audience, the plan of each unit and the play records
(nhật ký phát) that come back. `release` is the one act that lets sound go out.
"""
