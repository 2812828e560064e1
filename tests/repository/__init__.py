"""Tests about the repository itself: pages, settings, codes, folders, locks."""
