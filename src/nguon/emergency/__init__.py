"""Emergency (khẩn cấp): the lane of its own. Stop, lift, cancel, correct, drill.

Owns what a duty officer does when seconds count. An emergency bulletin itself is
written in the newsroom and released by schedule, about a hash, by two persons.
"""
