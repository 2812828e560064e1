"""Tests of nguon.newsroom."""
