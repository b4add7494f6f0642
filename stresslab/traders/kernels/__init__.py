"""Compiled twins of the strategies' rules; imported when a simulation starts, never before."""
