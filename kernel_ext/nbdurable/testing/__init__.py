"""Servers and a demo with which users test their agents."""
