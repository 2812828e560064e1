"""Whole stories: real processes, a real bus, real agents, a real browser."""
