"""The stages joined: one function per thing the system does."""
