"""A world written by hand: one seller, a buyer with one deal, a buyer with two alike, a newsletter, a partner."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "users.csv": """\
email,name,aliases,team,phones,time_zone
rik@ours.example,Rik,rik@ours-group.example,North,+31207940001;ext:12,Europe/Amsterdam
sam@ours.example,Sam,,North,,Europe/Amsterdam
""",
    "companies.csv": """\
key,name,domains,partner
acme,Acme,acme.example;acme-group.example,0
bolt,Bolt,bolt.example,0
help,Helpers,helpers.example,1
""",
    "contacts.csv": """\
key,name,emails,phones,company,created_at
ann,Ann,ann@acme.example,+31207940100,acme,2026-01-05T09:00:00+01:00
bob,Bob,bob@bolt.example,,bolt,
hugo,Hugo,hugo@helpers.example,,help,2026-01-05T09:00:00+01:00
""",
    "deals.csv": """\
key,name,company,owner,pipeline,created_at,closed_at,outcome,amount,currency,products,references
A1,Acme line,acme,rik@ours.example,new,2026-02-02T09:00:00+01:00,,,1200.50,EUR,Line,Q-1001
B1,Bolt east,bolt,rik@ours.example,new,2026-02-02T09:00:00+01:00,,,,,Line,
B2,Bolt west,bolt,rik@ours.example,new,2026-02-03T09:00:00+01:00,,,,,Line,
B0,Bolt first,bolt,rik@ours.example,new,2025-06-02T09:00:00+02:00,2025-09-01T09:00:00+02:00,lost,,,Line,
""",
    "deal_contacts.csv": """\
deal,contact,role,since,source
A1,ann,buyer,2026-02-02T09:00:00+01:00,crm
B1,bob,buyer,2026-02-02T09:00:00+01:00,crm
B2,bob,buyer,2026-02-03T09:00:00+01:00,crm
""",
    "stage_changes.csv": """\
deal,stage,at
A1,new,2026-02-02T09:00:00+01:00
B1,proposal,2026-02-20T09:00:00+01:00
""",
    "activities.jsonl": """\
{"id":"m1","kind":"email","at":"2026-02-10T10:00:00+01:00","mailbox":"rik@ours.example","message_id":"<m1@ours.example>",\
"from":"Rik <rik@ours.example>","to":["Ann <ann@acme.example>"],"subject":"The line","text":"Dear Ann"}
{"id":"m2","kind":"email","at":"2026-02-11T10:00:00+01:00","mailbox":"rik@ours.example","message_id":"m2@acme.example",\
"in_reply_to":"m1@ours.example","from":"ann@acme.example","to":"rik@ours.example","cc":["new@acme.example"]}

{"id":"m3","kind":"email","at":"2026-02-12T10:00:00+01:00","mailbox":"rik@ours.example","message_id":"m3@bolt.example",\
"from":"bob@bolt.example","to":["rik@ours.example"],"subject":"A question"}
{"id":"m4","kind":"email","at":"2026-02-13T10:00:00+01:00","mailbox":"rik@ours.example","message_id":"m4@news.example",\
"from":"news@news.example","to":["rik@ours.example"],"subject":"News","headers":{"List-Id":"<news.example>"}}
{"id":"v1","kind":"meeting","at":"2026-02-16T10:00:00+01:00","mailbox":"rik@ours.example","series":"weekly","duration_s":1800,\
"subject":"Acme weekly","organizer":"rik@ours.example","attendees":[{"address":"ann@acme.example","response":"accepted"}]}
{"id":"v2","kind":"meeting","at":"2026-02-23T10:00:00+01:00","mailbox":"rik@ours.example","series":"weekly","duration_s":1800,\
"subject":"Acme weekly","organizer":"rik@ours.example","attendees":[{"address":"ann@acme.example"}]}
{"id":"c1","kind":"call","at":"2026-02-17T10:00:00+01:00","mailbox":"rik@ours.example","caller":"ext:12","callee":"+31207940100",\
"duration_s":90}
{"id":"m5","kind":"email","at":"2026-02-18T10:00:00+01:00","mailbox":"sam@ours.example","message_id":"m5@helpers.example",\
"from":"hugo@helpers.example","to":["sam@ours.example"],"subject":"Our fee"}
""",
    "truth.csv": """\
activity,people,company,deal,admitted,reason,cases
m1,ann,acme,A1,1,,one deal
m2,ann,acme,A1,1,,one deal
m3,bob,bolt,ambiguous,1,nothing tells east from west,same everything
m4,,,,0,newsletter,mailing list
v1,ann,acme,A1,1,,series
v2,ann,acme,A1,1,,series
c1,ann,acme,A1,1,,
m5,hugo,help,none,1,,
""",
}


def write_tiny(folder: Path, **changed: str) -> Path:
    """The files in `folder`; `changed` gives other contents by the file's name without its ending."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(changed.get(name.partition(".")[0], text), encoding="utf-8")
    return folder


def cut(file: str, old: str, new: str) -> dict[str, str]:
    """`file` with one place changed, for `write_tiny`."""
    if FILES[file].count(old) != 1:
        raise ValueError(f"{old!r} stands there {FILES[file].count(old)} times")
    return {file.partition(".")[0]: FILES[file].replace(old, new)}
