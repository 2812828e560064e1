"""Shared by all tests: the people. Lan writes, Minh approves, Hoa lives elsewhere."""
