"""The Authentication-Results field, written and told apart (I-21, I-22)."""

import pytest

from paperpath.mail.authentication_results import Result, auth_result, claims_to_be_of, results_field
from tests.support.authentication_results import read_results

HOST = "mx.here.example"


def test_I22_what_is_written_is_read_again() -> None:
    results = [
        auth_result("joe@here.example"),
        Result("dkim", "pass", "", (("header.d", "a.example"), ("header.s", "s"), ("header.b", "ab/+cd=="))),
        Result("dkim", "fail", 'the "body" \\ is not', (("header.d", "b.example"),)),
        Result("dkim", "none"),
    ]
    field = results_field(HOST, results, "190 more")
    assert read_results(field) == (HOST, results)
    assert b"smtp.auth=joe@here.example" in field
    assert max(map(len, field.split(b"\r\n"))) <= 78


def test_I22_nothing_done_is_said() -> None:
    field = results_field(HOST, [])
    assert field == b"Authentication-Results: mx.here.example;\r\n none\r\n"
    assert read_results(field) == (HOST, [])


@pytest.mark.parametrize(
    "text", ["a\r\nX: y", "a; dkim=pass", '"', "\\", "(", ")", "é", "\x00", "=" * 9, "a b", "x" * 9999, ""]
)
def test_I22_whatever_a_value_is_the_field_stays_one(text: str) -> None:
    field = results_field(HOST, [Result("dkim", "fail", text, (("header.d", text), ("header.b", text)))])
    assert field.isascii()
    assert all(line.startswith(b" ") and len(line) < 998 for line in field.split(b"\r\n")[1:-1])
    name, (result,) = read_results(field)
    assert (name, result.method, result.verdict) == (HOST, "dkim", "fail")
    assert dict(result.properties)["header.d"] == "".join(c if " " <= c <= "~" else "?" for c in text[:255])


@pytest.mark.parametrize(
    "account", ["joe", "jöe@here.example", '"a b"@here.example', "a@b@c", "a b@c.example"]
)
def test_I22_who_logged_in_is_named_if_his_name_is_fit_for_it(account: str) -> None:
    expected = (("smtp.auth", "joe"),) if account == "joe" else ()
    assert auth_result(account) == Result("auth", "pass", "", expected)


@pytest.mark.parametrize(
    "value",
    [
        "mx.here.example; dkim=pass",
        " MX.Here.EXAMPLE;none",
        "\r\n\t(c (nested \\) ) ) mx.here.example (more) 1; spf=pass",
        "mx.here.example",
        "mx.here.example 1",
        "mx.here.example(x)1;",
        '"mx.here.example"; x=y',
        '"mx.here\\.example" ; x=y',
        "mx.here.example.; x=y",
        "mx.\r\n here.example; x=y",
        "mx.(x)here.example; x=y",
        "mx. here .example 1; x=y",
        "mx.here.example\0; x=y",
        "(never closed mx.here.example; dkim=pass",
        '"never closed mx.here.example; dkim=pass',
    ],
)
def test_I21_a_field_bears_our_name_in_whatever_way_it_is_written(value: str) -> None:
    assert claims_to_be_of(value.encode(), HOST)


@pytest.mark.parametrize(
    "value",
    [
        "other.example; dkim=pass header.d=mx.here.example",
        "mx.here.example.evil.example; x=y",
        "sub.mx.here.example; x=y",
        "xmx.here.example",
        "mx.here.example1; x=y",
        "(mx.here.example) other.example; x=y",
        '"other.example;mx.here.example"; x=y',
        "; mx.here.example",
        "",
        "(never closed",
        "\xff\xfe; x",
    ],
)
def test_I21_a_field_of_somebody_else_is_his(value: str) -> None:
    assert not claims_to_be_of(value.encode("latin-1"), HOST)


def test_I21_a_name_with_U_labels_is_the_one_with_A_labels() -> None:
    assert claims_to_be_of("Mx.BÜCHER.example; x=y".encode(), "mx.xn--bcher-kva.example")
