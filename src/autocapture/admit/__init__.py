"""What must never be captured: exclusions, private items, internal and machine mail; each with its reason. Pure functions.

One function a kind of record: `admit.email.admit_email`, `admit.event.admit_event`, `admit.call.admit_call`.
"""
