"""Tests of nguon.speech."""
