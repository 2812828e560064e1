"""Tests: the same folders as src/nguon, and whole journeys."""
