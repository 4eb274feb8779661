"""An installation with its own certificate and no proxy."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import trustme

from tests.installation import Installation


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("tls")
    authority, trust = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trust)
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    installation = Installation(folder / "data", trust=trust)
    installation.make()
    both = str(folder / "both.pem")
    installation.extra = {"CONSULT_PROXY": "no", "CONSULT_CERTIFICATE": both, "CONSULT_CERTIFICATE_KEY": both}
    installation.start()
    yield installation
    installation.stop()


def test_it_serves_https_with_its_own_certificate_and_finds_no_fault(served: Installation) -> None:
    with urllib.request.urlopen(f"{served.origin}/sign-in", context=served.trust, timeout=10) as answer:
        assert answer.status == 200
        assert "max-age=" in answer.headers["Strict-Transport-Security"]
        assert "; Secure" in answer.headers["Set-Cookie"]
        assert "__Host-" in answer.headers["Set-Cookie"]
    assert served.run("check").returncode == 0


def test_without_tls_it_says_nothing(served: Installation) -> None:
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(f"http://localhost:{served.port}/healthz", timeout=10)


def test_nobody_can_pretend_to_be_a_proxy_in_front_of_it(served: Installation) -> None:
    """Without CONSULT_PROXY what a client says of itself is not believed."""
    asked = urllib.request.Request(f"{served.origin}/", headers={"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"})
    with urllib.request.urlopen(asked, context=served.trust, timeout=10) as answer:
        assert answer.url == f"{served.origin}/sign-in"
        assert "max-age=" in answer.headers["Strict-Transport-Security"]
