"""Kỳ báo cáo: forms, periods, and what each unit reports, level by level.

Owns forms and their fields, periods with their due day, submissions with their
answers and steps. Figures that facts give are asked from `indicators`, never typed.
"""
