"""The pages: read-only, server-rendered, for this machine alone until sign-in exists."""
