"""Widgets of the app, one per file. They show what they are given and post what was done."""
