"""Codes of the second factor, against the vectors of RFC 6238 and RFC 4226."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.check import secrets as secrets_check
from bot.cli import cli, secrets_of
from bot.clock import SECOND
from bot.config import parse
from bot.statements.totp import STEP, BadSecret, code_at, new_secret, secret_of, step_at, uri, verify

SECRET = b"12345678901234567890"  # of both RFCs
BASE32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = 1_773_018_000_000


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, step_at(seconds * SECOND), digits=8) == code
    assert verify(SECRET, code[2:], seconds * SECOND, 0) == seconds // 30


def test_the_vectors_of_rfc_4226() -> None:
    codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    assert [code_at(SECRET, step) for step in range(10)] == codes


def test_one_step_of_drift_to_either_side_and_no_more() -> None:
    now = step_at(NOW)
    fits = [verify(SECRET, code_at(SECRET, now + drift), NOW, 0) for drift in (-2, -1, 0, 1, 2)]
    assert fits == [None, now - 1, now, now + 1, None]


def test_a_code_is_good_once_and_an_older_one_no_more() -> None:
    now = step_at(NOW)
    used = verify(SECRET, code_at(SECRET, now), NOW, 0)
    assert used == now
    assert verify(SECRET, code_at(SECRET, now), NOW, used) is None
    assert verify(SECRET, code_at(SECRET, now - 1), NOW, used) is None
    assert verify(SECRET, code_at(SECRET, now + 1), NOW + STEP, used) == now + 1


@pytest.mark.parametrize("shape", ["{0}{1}", "{0} {1}", " {0}-{1}\n", "{0}\u2005{1}"])
def test_codes_as_people_type_them(shape: str) -> None:
    code = code_at(SECRET, step_at(NOW))
    assert verify(SECRET, shape.format(code[:3], code[3:]), NOW, 0) == step_at(NOW)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    assert verify(SECRET, wide, NOW, 0) == step_at(NOW)


@given(st.text(max_size=60))
def test_nothing_else_opens(typed: str) -> None:
    good = {code_at(SECRET, step_at(NOW) + drift) for drift in (-1, 0, 1)}
    if not any(code in typed for code in good):
        assert verify(SECRET, typed, NOW, 0) is None


@given(st.integers(min_value=0, max_value=2**45), st.binary(min_size=16, max_size=64))
def test_every_code_of_now_opens_once(now: int, secret: bytes) -> None:
    step = verify(secret, code_at(secret, step_at(now)), now, step_at(now) - 1)
    assert step == step_at(now)
    assert verify(secret, code_at(secret, step_at(now)), now, step_at(now) + 1) is None


@pytest.mark.parametrize("text", [BASE32, BASE32.lower(), "gezd gnbv-gy3t qojq GEZD GNBV GY3T QOJQ", f"{BASE32}===="])
def test_secrets_as_applications_show_them(text: str) -> None:
    assert secret_of(text) == SECRET


@pytest.mark.parametrize("text", ["", "GEZDGNBV", "0189", BASE32 + "1", "========", "密钥", "A" * 33])
def test_what_is_no_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadSecret) as refused:
        secret_of(text)
    assert not text or text not in str(refused.value)


def test_a_new_secret_is_new_and_long_enough() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
    assert len(secret_of(new_secret())) == 20


def test_the_address_for_the_authenticator_reads_back() -> None:
    parts = urlsplit(uri(SECRET, "陈 静@corp.example"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Fengbo:%E9%99%88%20%E9%9D%99%40corp.example"
    values = parse_qs(parts.query)
    assert secret_of(values["secret"][0]) == SECRET
    assert (values["issuer"], values["digits"], values["period"]) == (["Fengbo"], ["6"], ["30"])


PEOPLE = """people:
  - {id: lina, name: 李娜, totp_env: LINA_TOTP}
  - {id: chen, name: 陈静}
"""


def test_the_command_prints_the_address_or_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fengbo.yaml"
    file.write_text(PEOPLE, encoding="utf-8")
    monkeypatch.setenv("LINA_TOTP", BASE32)

    def run(*words: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(cli, ["totp", *words, "--config", str(file)])
        return result.exit_code, result.stdout, result.stderr

    code, out, words = run("lina")
    assert code == 0 and out.startswith("otpauth://totp/Fengbo:lina?secret=GEZDGNBV") and "李娜" in words
    assert (run("chen")[0], run("chen")[1]) == (2, "") and "--new" in run("chen")[2]
    assert run("nobody")[0] == 2 and "lina" in run("nobody")[2]
    code, out, words = run("chen", "--new")
    assert code == 0 and len(secret_of(out)) == 20 and "FENGBO_TOTP_CHEN" in words and out.strip() not in words
    monkeypatch.setenv("LINA_TOTP", "short")
    code, out, words = run("lina")
    assert (code, out) == (2, "") and "short" not in words


def test_a_missing_secret_is_found_by_check_and_a_present_one_hidden_from_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    config = parse(PEOPLE, "fengbo.yaml")
    assert any("LINA_TOTP" in str(text.params) for _, text in secrets_check.check(config, {}))
    monkeypatch.setenv("LINA_TOTP", BASE32)
    assert BASE32 in secrets_of(config)
