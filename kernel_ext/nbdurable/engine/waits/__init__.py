"""Waiting: for people, for signals, for time; a wait is a call like any other."""
