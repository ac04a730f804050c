"""A real Dovecot 2.3 in a folder of its own, on free ports of the loopback interface.

    with dovecot() as server:
        server.append("INBOX", b"Subject: hello\\r\\n\\r\\n")

Needs Debian's dovecot-imapd and root (Dovecot drops its own rights); `missing()` says what is not there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from imapclient import IMAPClient
from tests.peers.certificates import Certificates, make_certificates
from tests.peers.ports import free_port, wait_until_listening

USER, PASSWORD = "alice@example.test", "pw-alice"

_CONFIG = r"""
base_dir = {sockets}
state_dir = {folder}/state
instance_name = {instance}
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = {location}
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
mail_max_userip_connections = 50
imap_idle_notify_interval = 5 secs
rawlog_dir = {folder}/rawlog
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
    special_use = \Sent
  }}
  mailbox Drafts {{
    auto = subscribe
    special_use = \Drafts
  }}
  mailbox Trash {{
    auto = create
    special_use = \Trash
  }}
  mailbox Junk {{
    auto = create
    special_use = \Junk
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


def missing() -> str | None:
    """Why Dovecot cannot run here, or None when it can."""
    if shutil.which("dovecot") is None or shutil.which("doveadm") is None:
        return "Dovecot is not installed (Debian package dovecot-imapd)"
    if os.geteuid() != 0:
        return "Dovecot needs root to start"
    return None


@dataclass
class Dovecot:
    """The running server. Changes to its mailboxes go through IMAP sessions of their own, like another mail client's."""

    folder: Path
    sockets: Path  # a short path: the name of a Unix socket has 107 bytes at the most
    port: int
    tls_port: int
    certificates: Certificates
    user: str = USER
    password: str = PASSWORD
    host: str = "127.0.0.1"
    _config: Path = field(init=False)

    def __post_init__(self) -> None:
        self._config = self.folder / "dovecot.conf"

    def client(self, user: str = USER) -> IMAPClient:
        """A signed-in session of another mail client; close it with `logout()` or use it in a with statement."""
        client = IMAPClient(self.host, self.port, ssl=False, timeout=30)
        try:
            client.login(user, self.password)
        except BaseException:
            client.shutdown()
            raise
        return client

    def append(
        self,
        name: str,
        message: bytes,
        *,
        flags: Sequence[bytes] = (),
        at: datetime | None = None,
        user: str = USER,
    ) -> None:
        with self.client(user) as client:
            client.append(name, message, flags, at)

    def append_many(self, name: str, messages: Sequence[bytes], *, user: str = USER) -> None:
        with self.client(user) as client:
            for start in range(0, len(messages), 200):
                client.multiappend(name, list(messages[start : start + 200]))

    def uids(self, name: str, *, user: str = USER) -> list[int]:
        with self.client(user) as client:
            client.select_folder(name, readonly=True)
            return sorted(client.search())

    def expunge(self, name: str, uids: Sequence[int], *, user: str = USER) -> None:
        with self.client(user) as client:
            client.select_folder(name)
            client.delete_messages(list(uids), silent=True)
            client.expunge(list(uids))

    def move(self, uids: Sequence[int], source: str, target: str, *, user: str = USER) -> None:
        with self.client(user) as client:
            client.select_folder(source)
            client.move(list(uids), target)

    def create_folder(self, name: str, *, user: str = USER) -> None:
        with self.client(user) as client:
            client.create_folder(name)

    def delete_folder(self, name: str, *, user: str = USER) -> None:
        with self.client(user) as client:
            client.delete_folder(name)

    def rename_folder(self, name: str, new_name: str, *, user: str = USER) -> None:
        with self.client(user) as client:
            client.rename_folder(name, new_name)

    def new_uid_validity(self, name: str, uid_validity: int, *, user: str = USER) -> None:
        """The folder gets another UIDVALIDITY, as after a restored backup. No session may have it open: a header that such
        a session caches afterwards damages the folder's index, and the server then ends sessions while it repairs that."""
        self.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(uid_validity), name)

    def kick(self, user: str = USER) -> None:
        """Ends every session of the user at once; RuntimeError when there is none."""
        self.doveadm("kick", user)

    def end_sessions(self, user: str = USER) -> None:
        """As `kick`, and returns when every process that served the user has ended."""
        self.kick(user)
        deadline = time.monotonic() + 10
        while self.doveadm("who", "-1", user).count("\n") > 1:  # the first line is a heading
            if time.monotonic() > deadline:
                raise RuntimeError(f"sessions of {user} do not end")

    def new_user(self) -> str:
        """The name of a user that nobody used yet: an empty mailbox."""
        return f"{uuid.uuid4().hex[:12]}@example.test"

    def doveadm(self, *arguments: str) -> str:
        done = subprocess.run(
            ["doveadm", "-c", str(self._config), *arguments], capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise RuntimeError(f"doveadm {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def commands(self) -> list[bytes]:
        """Every line that clients sent after signing in, when the server was started with `record=True`."""
        lines: list[bytes] = []
        for log in sorted((self.folder / "rawlog").glob("*.in")):
            lines += [
                line.partition(b" ")[2] for line in log.read_bytes().splitlines()
            ]  # a time stands first
        return lines

    def forget_commands(self) -> None:
        for log in (self.folder / "rawlog").iterdir():
            log.unlink()

    def files(self, user: str = USER) -> dict[str, str]:
        """The user's messages on disk: file name, which holds the flags, to a digest of the content."""
        maildir = self.folder / "mail" / user / "Maildir"
        return {
            str(path.relative_to(maildir)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(maildir.rglob("*"))
            if path.is_file() and path.parent.name in ("cur", "new", "tmp")
        }

    def start(self) -> None:
        subprocess.run(["dovecot", "-c", str(self._config)], check=True, timeout=30)
        wait_until_listening(self.port)
        wait_until_listening(self.tls_port)

    def stop(self) -> None:
        pid_file = self.sockets / "master.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text())
        os.kill(pid, 15)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def restart(self) -> None:
        self.stop()
        self.start()


@contextmanager
def dovecot(*, record: bool = False, location: str = "maildir:~/Maildir") -> Iterator[Dovecot]:
    """Starts a server and stops it afterwards; any user may sign in with `PASSWORD`.

    It keeps everything in a folder of its own, never below a test's `tmp_path`: each run of pytest closes the parent that these
    have in common to all users but its own, and the server's user would no longer reach its mail.
    """
    folder = Path(tempfile.mkdtemp(prefix="dovecot-")).resolve()
    folder.chmod(0o711)
    for name in ("mail", "rawlog") if record else ("mail",):
        (folder / name).mkdir()
        shutil.chown(folder / name, "dovecot", "dovecot")
    sockets = folder / "run"
    sockets.mkdir()
    server = Dovecot(folder, sockets, free_port(), free_port(), make_certificates(folder / "certs"))
    (folder / "dovecot.conf").write_text(
        _CONFIG.format(
            folder=folder,
            sockets=sockets,
            instance=f"test-{server.port}",
            certificate=server.certificates.certificate,
            key=server.certificates.key,
            port=server.port,
            tls_port=server.tls_port,
            location=location,
            password=PASSWORD,
        )
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
