"""A CalDAV server on the loopback interface, as well-mannered or as rude as a test wants it."""
