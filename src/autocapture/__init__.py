"""autocapture: mail, meetings and calls in, quota attainment and a weekly summary out."""
