"""Screens of the registers: lines and tables, training."""
