"""Nguồn: a province's source information system, from bulletin to proven sound."""

__version__ = "0.1.0"
