"""Nguồn: a province's source information system, from a typed bulletin to proven sound."""

__version__ = "0.1.0"
