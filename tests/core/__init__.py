"""Tests of nguon.core."""
