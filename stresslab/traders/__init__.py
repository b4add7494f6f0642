"""Traders: who they are, what they hold, when they act, how they choose a margin mode."""
