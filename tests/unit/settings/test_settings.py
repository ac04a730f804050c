"""Settings come from defaults, one file and the environment, in that order, and unknown keys are refused."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from autocapture.errors import SetupError
from autocapture.settings import load_settings


def test_everything_has_a_default_but_the_home_may_be_chosen(tmp_path: Path) -> None:
    settings = load_settings({"AUTOCAPTURE_HOME": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path}/autocapture.db"
    assert settings.key_file == tmp_path / "keys" / "master.key"
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8000)
    assert settings.capture.interval_seconds == 60


def test_the_home_is_var_in_the_current_folder_where_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).home == tmp_path / "var"


def test_a_file_in_the_home_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "autocapture.toml").write_text('[smtp]\nhost = "mail.example.com"\nport = 25\n')
    settings = load_settings({"AUTOCAPTURE_HOME": str(tmp_path), "AUTOCAPTURE_SMTP_PORT": "2525"})
    assert (settings.smtp.host, settings.smtp.port) == ("mail.example.com", 2525)


def test_a_file_may_be_named(tmp_path: Path) -> None:
    named = tmp_path / "other.toml"
    named.write_text('database_url = "sqlite:////srv/a.db"\n')
    assert load_settings({"AUTOCAPTURE_CONFIG": str(named)}).database_url == "sqlite:////srv/a.db"


@pytest.mark.parametrize(
    ("web", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "::1", "PORT": "81"}, "http://[::1]:81"),
        ({"PORT": "81", "PUBLIC_URL": "https://sales.example/weekly/"}, "https://sales.example/weekly"),
    ],
)
def test_links_begin_where_readers_reach_the_pages(web: dict[str, str], address: str) -> None:
    settings = load_settings({f"AUTOCAPTURE_WEB_{name}": value for name, value in web.items()})
    assert settings.web.address == address


def test_networks_are_a_list_in_the_environment(tmp_path: Path) -> None:
    given = {"AUTOCAPTURE_NETWORK_ALLOW_NETWORKS": "10.0.0.0/8, fd00::/8"}
    assert load_settings(given).network.allow_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert load_settings({"AUTOCAPTURE_NETWORK_ALLOW_NETWORKS": ""}).network.allow_networks == ()


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"AUTOCAPTURE_SMPT_HOST": "x"}, "unknown setting AUTOCAPTURE_SMPT_HOST"),
        ({"AUTOCAPTURE_WEB_PORT": "eighty"}, "^setting web.port: a whole number is wanted, not 'eighty'$"),
        ({"AUTOCAPTURE_WEB_PORT": "0"}, "^setting web.port: at least 1 is wanted, not '0'$"),
        ({"AUTOCAPTURE_WEB_PORT": "70000"}, "^setting web.port: at most 65535 is wanted, not '70000'$"),
        ({"AUTOCAPTURE_WEB_PUBLIC_URL": "sales.example"}, "setting web.public_url"),
        ({"AUTOCAPTURE_WEB_PUBLIC_URL": "javascript:alert(1)"}, "setting web.public_url"),
        ({"AUTOCAPTURE_WEB_PUBLIC_URL": "https://sales.example/?a=b"}, "setting web.public_url"),
        ({"AUTOCAPTURE_WEB_PUBLIC_URL": "https://[::1"}, "setting web.public_url"),
        ({"AUTOCAPTURE_ORGANIZATION_TIME_ZONE": "Mars/Olympus"}, "not a time zone"),
        ({"AUTOCAPTURE_ORGANIZATION_TIME_ZONE": "../../etc/passwd"}, "not a time zone"),
        (
            {"AUTOCAPTURE_ORGANIZATION_REGION": "germany"},
            "organization.region: a country of two capital letters such as DE",
        ),
        (
            {"AUTOCAPTURE_SMTP_SENDER": "reports"},
            "^setting smtp.sender: an address such as reports@example.com is",
        ),
        (
            {"AUTOCAPTURE_PUSH_GMAIL_TOPIC": "gmail"},
            "^setting push.gmail_topic: a name such as projects/our-project/topics/gmail is wanted, not 'gmail'$",
        ),
        (
            {"AUTOCAPTURE_PUSH_GMAIL_SUBSCRIPTION": "projects/a/subscriptions/b"},
            "^setting push: .* need gmail_topic",
        ),
        ({"AUTOCAPTURE_SMTP_SECURITY": "maybe"}, "'tls', 'starttls' or 'none' is wanted, not 'maybe'"),
        (
            {"AUTOCAPTURE_NETWORK_ALLOW_NETWORKS": "10.0.0.1/8"},
            "^setting network.allow_networks: a network such as 10.0.0.0/8 is wanted, not '10.0.0.1/8'$",
        ),
        ({"AUTOCAPTURE_CONFIG": "/no/such/file.toml"}, "cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SetupError, match=says) as refusal:
        load_settings(environ)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[smtp]\nhots = 'x'\n", "unknown setting smtp.hots"),
        ("[smpt]\nhost = 'x'\n", "unknown setting smpt"),
        ("smtp = 3\n", "setting smtp: a section with keys is wanted"),
        ("home = '/srv'\n", "AUTOCAPTURE_HOME"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "autocapture.toml").write_text(text)
    with pytest.raises(SetupError, match=says) as refusal:
        load_settings({"AUTOCAPTURE_HOME": str(tmp_path)})
    assert "\n" not in str(refusal.value)


def test_a_password_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    secret = tmp_path / "smtp"
    secret.write_text(" pass word \n")
    settings = load_settings({"AUTOCAPTURE_SMTP_PASSWORD_FILE": str(secret)})
    assert settings.smtp.password() == " pass word "
    secret.unlink()
    with pytest.raises(SetupError, match="cannot be read"):
        settings.smtp.password()
