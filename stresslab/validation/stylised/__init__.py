"""Stylised facts of returns: a market of leveraged traders against five years of crypto bars."""
