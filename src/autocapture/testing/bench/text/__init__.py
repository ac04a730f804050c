"""How well mail is read: machines told from people, bounces, replies, signatures; on collections that others marked by hand."""
