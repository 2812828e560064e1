"""Tests of nguon.territory."""
