"""The weekly summary: its numbers as data, its charts, its rendering for page and mail, and the hand-over to SMTP."""
