"""Tests of nguon.web."""
