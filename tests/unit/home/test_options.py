"""Tests the options of `strandline serve`."""

import argparse
from pathlib import Path

import pytest

from strandline.cli.commands import serve
from strandline.cli.errors import CommandError
from strandline.home.options import ServeOptions, checked_options, home_settings

PROXY = ("--behind-proxy", "--trusted-proxy", "10.0.0.0/8", "--public-url", "https://data.example.org/")

SENDER = ("--mail-from", "strandline@example.org")


def checked(*arguments: str) -> ServeOptions:
    """The options of a command line."""
    parser = argparse.ArgumentParser()
    serve.add_to(parser.add_subparsers())
    return checked_options(parser.parse_args(["serve", *arguments]))


def test_a_server_of_this_machine_is_open_and_on_loopback() -> None:
    options = checked()
    settings = home_settings(options.with_base_url("http://127.0.0.1:8000").environ)

    assert (options.host, options.port, options.public_url) == ("127.0.0.1", 8000, None)
    assert (settings.stage, settings.sign_up, settings.has_gateway) == ("home", "open", False)
    assert settings.issuer == "http://127.0.0.1:8000/realms/tidepool"


def test_a_server_behind_a_proxy_is_closed_and_known_by_its_public_address() -> None:
    options = checked(*PROXY, "--host", "0.0.0.0")  # noqa: S104  what is tested

    assert options.public_url == "https://data.example.org"
    assert [str(network) for network in options.trusted_proxies] == ["10.0.0.0/8"]
    assert home_settings(options.environ).sign_up == "closed"
    assert home_settings(checked(*PROXY, "--sign-up", "invitation").environ).sign_up == "invitation"


def test_settings_of_pages_and_apps_reach_the_platform() -> None:
    arguments = ("--cors-origins", "https://a.example.org,https://b.example.org", "--realm", "mine")
    clients = ("--oidc-clients", "app=https://app.example.org/back", "--web-app-url", "https://web.example.org")
    settings = home_settings(checked(*arguments, *clients).environ)

    assert settings.cors_origins == ("https://a.example.org", "https://b.example.org")
    assert settings.oidc_clients == {"app": ("https://app.example.org/back",)}
    assert (settings.realm, settings.web_app_url) == ("mine", "https://web.example.org")


def test_web_apps_of_this_machine_are_accepted_only_if_that_was_asked_for() -> None:
    assert home_settings(checked("--allow-local-web-apps").environ).allows_local_web_apps
    assert not home_settings(checked().environ).allows_local_web_apps


def test_the_folder_is_known_wherever_the_server_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert checked("--data-dir", "data").data_dir == tmp_path / "data"


def test_without_options_no_mail_is_sent() -> None:
    settings = home_settings(checked("--public-url", "https://data.example.org").environ)

    assert (settings.sends_mail, settings.verifies_emails) == (False, False)


@pytest.mark.parametrize(
    ("arguments", "host", "port", "security"),
    [
        (("--smtp", "mail.example.org"), "mail.example.org", 587, "starttls"),
        (("--smtp", "mail.example.org", "--smtp-security", "tls"), "mail.example.org", 465, "tls"),
        (("--smtp", "mail.example.org:2525", "--smtp-security", "none"), "mail.example.org", 2525, "none"),
    ],
)
def test_options_of_a_mail_server_reach_the_platform(
    arguments: tuple[str, ...], host: str, port: int, security: str, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("the password\nanother line\n")
    settings = home_settings(
        checked(*SENDER, *arguments, "--smtp-user", "ada", "--smtp-password-file", str(password)).environ
    )

    assert (settings.smtp_host, settings.smtp_port, settings.smtp_security) == (host, port, security)
    assert (settings.smtp_user, settings.smtp_password) == ("ada", "the password")
    assert (settings.mail_from, settings.mail_folder) == ("strandline@example.org", "")
    assert (settings.sends_mail, settings.verifies_emails) == (True, False)
    assert "the password" not in repr(settings)


def test_the_password_of_the_mail_server_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANDLINE_SMTP_PASSWORD", "of the environment")
    settings = home_settings(checked(*SENDER, "--smtp", "mail.example.org").environ)

    assert settings.smtp_password == "of the environment"


def test_mail_may_go_into_a_folder_that_is_known_wherever_the_server_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = home_settings(checked(*SENDER, "--mail-folder", "mail", "--verify-emails").environ)

    assert (settings.mail_folder, settings.smtp_host) == (str(tmp_path / "mail"), "")
    assert (settings.sends_mail, settings.verifies_emails) == (True, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--smtp", "mail.example.org"), "--mail-from goes with --smtp or --mail-folder"),
        (("--mail-folder", "mail"), "--mail-from goes with --smtp or --mail-folder"),
        (SENDER, "--mail-from goes with --smtp or --mail-folder"),
        ((*SENDER, "--smtp", "mail.example.org", "--mail-folder", "mail"), "mail goes to one of them"),
        (("--verify-emails",), "--verify-emails needs mail"),
        (("--mail-from", "strandline", "--smtp", "mail.example.org"), "strandline: this is not an e-mail address"),
        ((*SENDER, "--smtp", "mail.example.org:0"), "0 is not a port"),
        ((*SENDER, "--smtp", "mail.example.org:65536"), "65536 is not a port"),
        ((*SENDER, "--smtp", "mail.example.org:smtp"), "smtp is not a port"),
        (
            (*SENDER, "--smtp", "mail.example.org", "--smtp-password-file", "missing"),
            "--smtp-password-file missing: the file cannot be read",
        ),
        (
            (*SENDER, "--smtp", "mail.example.org", "--smtp-password-file", "/dev/null"),
            "the file cannot be read, or is empty",
        ),
        (("--host", "0.0.0.0"), "can be reached from other machines"),  # noqa: S104  what is tested
        (("--host", "a-name"), "a-name is not an address of this machine"),
        (("--behind-proxy",), "--behind-proxy needs the addresses of the proxies"),
        (("--behind-proxy", "--trusted-proxy", "10.0.0.1"), "--behind-proxy needs"),
        (("--trusted-proxy", "10.0.0.1"), "--trusted-proxy goes with --behind-proxy"),
        ((*PROXY, "--allow-local-web-apps"), "does not go with --behind-proxy"),
        ((*PROXY, "--trusted-proxy", "a-name"), "--trusted-proxy a-name: name an address or a network"),
        (("--public-url", "https://data.example.org/path"), "name an address without a path"),
        (("--public-url", "data.example.org"), "name an address without a path"),
        (("--port", "65536"), "65536 is not a port"),
        (("--cors-origins", "pages.example.org"), "these are not origins of pages"),
        (("--oidc-clients", "app"), "these are not client=address pairs"),
        (("--realm", "a/b"), "these are not letters"),
    ],
)
def test_options_that_are_wrong_or_do_not_fit_are_refused(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        checked(*arguments)
