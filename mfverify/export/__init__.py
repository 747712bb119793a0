"""Interchange: an n-agent system written out explicitly, for the tools of others."""
