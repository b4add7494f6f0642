"""Compiled rules of the closure policies, loaded when a market is opened."""
