from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.log.checkpoint import TreeHead
from secure.log.errors import LogError
from secure.log.note import COSIGNATURE, ED25519, MLDSA, Verifier
from secure.log.policy import Policy, parse_policy, quorum_for
from secure.log.policy_chain import follow, open_first, open_next, open_witnessed, parse_numbered, write_numbered
from secure.log.signing import SigningKey

ORIGIN = "consult.example.int/consult"


def seed(number: int) -> bytes:
    return number.to_bytes(32, "big")


LOG = SigningKey(ORIGIN, ED25519, seed(1))
LOG_MLDSA = SigningKey(ORIGIN, MLDSA, seed(2))
X = [SigningKey(f"x{number}.example/w", COSIGNATURE, seed(10 + number)) for number in (1, 2, 3)]
Y = [SigningKey(f"y{number}.example/w", MLDSA, seed(20 + number)) for number in (1, 2, 3)]

# the layout of the example in C2SP tlog-policy
EXAMPLE = "\n".join(
    [
        f"log {LOG.verifier.vkey}",
        "",
        *(f"witness X{number} {key.verifier.vkey}" for number, key in enumerate(X, 1)),
        "group X-witnesses 2 X1 X2 X3",
        "",
        *(f"witness Y{number} {key.verifier.vkey}" for number, key in enumerate(Y, 1)),
        "group Y-witnesses any Y1 Y2 Y3",
        "",
        "group X-and-Y all X-witnesses Y-witnesses",
        "quorum X-and-Y",
        "",
    ]
).encode()

LOG_LINE = f"log {LOG.verifier.vkey}"
W1, W2, W3 = (f"witness w{number} {key.verifier.vkey} https://w{number}.example" for number, key in enumerate(X, 1))


def test_the_formats_own_example_says_two_of_x_and_one_of_y() -> None:
    policy = parse_policy(EXAMPLE)
    assert [each.name for each in policy.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    everybody = [*X, *Y]
    for count in range(7):
        for some in combinations(everybody, count):
            enough = len([key for key in some if key in X]) >= 2 and any(key in Y for key in some)
            assert (policy.agreed_at({key.verifier: 5 for key in some}) is not None) == enough


def test_a_quorum_is_reached_when_its_last_needed_witness_agrees() -> None:
    policy = parse_policy(EXAMPLE)
    times = dict(zip((key.verifier for key in [*X, *Y]), (30, 10, 20, 90, 40, 50), strict=True))
    assert policy.agreed_at(times) == 40
    assert policy.agreed_at({**times, Y[1].verifier: 15}) == 20


def test_a_stranger_counts_for_nothing_and_nobody_counts_twice() -> None:
    policy = parse_policy(policy_text("group g 2 w1 w2", "quorum g"))
    stranger = SigningKey(X[1].verifier.name, COSIGNATURE, seed(99)).verifier
    renamed = Verifier("other", X[1].verifier.public_key, COSIGNATURE)
    assert policy.agreed_at({X[0].verifier: 1, stranger: 1, renamed: 1}) is None


def test_a_policy_may_do_without_witnesses() -> None:
    assert parse_policy(b"quorum none\n") == Policy()
    assert Policy().agreed_at({}) == 0


def test_spaces_tabs_comments_and_foreign_octets_are_what_the_format_allows() -> None:
    odd = f"  # comment \xe9\n\t{LOG_LINE}  https://log.example\t\n\nwitness \xff {X[0].verifier.vkey}\nquorum \xff\n".encode("latin-1")
    policy = parse_policy(odd)
    assert policy.logs[0].url == "https://log.example"
    assert policy.quorum == policy.witnesses[0].name


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["quorum w1", "quorum w1"],
        ["quorum w9"],
        ["quorum"],
        ["quorum none none"],
        ["witness w1 " + Y[0].verifier.vkey, "quorum w1"],
        ["witness none " + Y[0].verifier.vkey, "quorum none"],
        ["witness again " + X[0].verifier.vkey, "quorum w1"],
        ["witness log " + LOG.verifier.vkey, "quorum w1"],
        ["witness w4", "quorum w1"],
        ["witness w4 " + Y[0].verifier.vkey + " a b", "quorum w1"],
        ["log " + LOG.verifier.vkey, "quorum w1"],
        ["log " + Y[0].verifier.vkey[:-4], "quorum w1"],
        ["log", "quorum w1"],
        ["group g 0 w1", "quorum g"],
        ["group g 2 w1", "quorum g"],
        ["group g 01 w1", "quorum g"],
        ["group g most w1", "quorum g"],
        ["group g any", "quorum w1"],
        ["group g any w1 w1", "quorum g"],
        ["group g any none", "quorum g"],
        ["group g any h", "group h any w1", "quorum g"],
        ["group g any w1", "group h any w1", "quorum h"],
        ["group w1 any w2", "quorum w1"],
        ["quorum g", "group g any w1"],
        ["trust everybody", "quorum none"],
        ["quorum none\r"],
        ["quorum none\x00"],
    ],
)
def test_what_makes_no_policy_is_refused(lines: list[str]) -> None:
    with pytest.raises(LogError):
        parse_policy(policy_text(*lines))


def test_a_policy_ends_in_a_newline_and_has_a_limit() -> None:
    with pytest.raises(LogError):
        parse_policy(b"quorum none")
    with pytest.raises(LogError):
        parse_policy(b"#" * 200_000 + b"\nquorum none\n")


@pytest.mark.parametrize(("witnesses", "colluding", "needed"), [(1, 0, 1), (3, 0, 2), (5, 1, 4), (7, 2, 5), (9, 2, 6), (3, 1, 3)])
def test_the_quorum_stands_against_colluding_witnesses(witnesses: int, colluding: int, needed: int) -> None:
    assert quorum_for(witnesses, colluding) == needed
    # two different logs would need two quorums: together they have more honest witnesses than there are
    assert 2 * needed - colluding > witnesses


def test_more_colluding_witnesses_than_a_quorum_can_bear_are_refused() -> None:
    with pytest.raises(LogError):
        quorum_for(2, 2)


# ------------------------------------------------------------------------------------------------------------- numbered policies

FIRST = write_numbered(1, origin=ORIGIN, lines=[LOG_LINE, f"log {LOG_MLDSA.verifier.vkey}", "quorum none"])
SECOND = write_numbered(2, origin=ORIGIN, lines=[LOG_LINE, W1, W2, W3, "group g 2 w1 w2 w3", "quorum g"])
NEW_LOG = SigningKey(ORIGIN, ED25519, seed(3))
THIRD = write_numbered(3, origin=ORIGIN, lines=[f"log {NEW_LOG.verifier.vkey}", W1, f"witness y {Y[0].verifier.vkey}", "quorum y"])
FOURTH = write_numbered(4, origin=ORIGIN, lines=[f"log {NEW_LOG.verifier.vkey}", "quorum none"])


def signed(text: bytes, *keys: SigningKey) -> bytes:
    return text + b"\n" + b"".join(key.sign(text, time=1000) for key in keys)


def test_policies_follow_one_another_by_the_quorum_of_the_one_before() -> None:
    first = open_first(signed(FIRST, LOG), log=LOG.verifier)
    notes = [signed(SECOND, LOG), signed(THIRD, LOG, X[0], X[2]), signed(FOURTH, NEW_LOG, Y[0])]
    assert follow(notes, start=first).number == 4
    assert follow(notes[:1], start=first).policy.quorum == "g"


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("below_quorum", [LOG]),
        ("below_quorum", [LOG, X[0]]),
        ("below_quorum", [LOG, NEW_LOG, Y[0], Y[1]]),
        ("bad_signature", [X[0], X[1]]),
        ("bad_signature", [NEW_LOG, X[0], X[1], X[2]]),
    ],
)
def test_a_new_key_is_not_taken_on_the_word_of_the_old_one_nor_of_the_witnesses_alone(code: str, keys: list[SigningKey]) -> None:
    with pytest.raises(LogError, match=code):
        open_next(signed(THIRD, *keys), before=parse_numbered(SECOND))


def test_a_policy_is_not_skipped_repeated_or_taken_from_another_log() -> None:
    before = parse_numbered(SECOND)
    foreign = SigningKey("other.example", ED25519, seed(1))
    other = write_numbered(3, origin="other.example", lines=[f"log {foreign.verifier.vkey}", "quorum none"])
    for text in (SECOND, FOURTH, FIRST, other):
        with pytest.raises(LogError, match="bad_policy"):
            open_next(signed(text, LOG, *X), before=before)


def test_the_first_policy_names_the_log_that_signs_it() -> None:
    with pytest.raises(LogError):
        open_first(signed(FIRST, NEW_LOG), log=LOG.verifier)
    with pytest.raises(LogError):
        open_first(signed(SECOND, LOG), log=LOG.verifier)
    stolen = write_numbered(1, origin=ORIGIN, lines=[f"log {NEW_LOG.verifier.vkey}", "quorum none"])
    with pytest.raises(LogError):
        open_first(signed(stolen, LOG), log=LOG.verifier)


@pytest.mark.parametrize(
    "lines",
    [
        ["quorum none"],
        [f"log {LOG_MLDSA.verifier.vkey}", "quorum none"],
        [f"log {SigningKey('other', ED25519, seed(4)).verifier.vkey}", "quorum none"],
        [LOG_LINE, f"log {SigningKey('other', ED25519, seed(4)).verifier.vkey}", "quorum none"],
    ],
)
def test_a_numbered_policy_is_about_the_log_of_its_first_line(lines: list[str]) -> None:
    with pytest.raises(LogError):
        write_numbered(1, origin=ORIGIN, lines=lines)


@pytest.mark.parametrize(
    "line", [b"# consult policy 0 o", b"# consult policy 01 o", b"#consult policy 1 o", b"# consult policy 1 o o", b"log"]
)
def test_the_first_line_has_one_spelling(line: bytes) -> None:
    with pytest.raises(LogError):
        parse_numbered(line + b"\n" + FIRST.split(b"\n", 1)[1])


def test_a_policy_is_no_checkpoint_and_a_checkpoint_no_policy() -> None:
    head = TreeHead(ORIGIN, 5, bytes(32))
    with pytest.raises(LogError):
        parse_numbered(head.text)
    line = X[0].sign(SECOND, time=1)
    with pytest.raises(LogError):
        open_witnessed(head.text + b"\n" + LOG.sign(head.text) + line, policy=parse_numbered(SECOND).policy)


# --------------------------------------------------------------------------------------------------------------- checkpoints

HEAD = TreeHead(ORIGIN, 9, bytes(range(32)))


def test_a_checkpoint_is_witnessed_by_the_quorum() -> None:
    policy = parse_numbered(SECOND).policy
    found = open_witnessed(signed(HEAD.text, LOG, X[0], X[1]), policy=policy)
    assert (found.origin, found.size, found.root, found.agreed_at) == (ORIGIN, 9, HEAD.root, 1000)
    for keys in ([LOG, X[0]], [LOG, X[0], Y[0]], [LOG]):
        with pytest.raises(LogError, match="below_quorum"):
            open_witnessed(signed(HEAD.text, *keys), policy=policy)


def test_a_fork_with_a_stolen_log_key_or_by_witnesses_alone_is_refused() -> None:
    policy = parse_numbered(SECOND).policy
    with pytest.raises(LogError, match="bad_signature"):
        open_witnessed(signed(HEAD.text, NEW_LOG, *X), policy=policy)
    other = TreeHead(ORIGIN, 9, bytes(32))
    with pytest.raises(LogError, match="bad_signature"):
        open_witnessed(other.text + b"\n" + signed(HEAD.text, LOG, *X).split(b"\n\n")[1], policy=policy)


def test_a_known_witness_whose_signature_fails_is_not_passed_over() -> None:
    bad = X[2].sign(TreeHead(ORIGIN, 8, bytes(32)).text, time=1000)
    with pytest.raises(LogError, match="bad_signature"):
        open_witnessed(signed(HEAD.text, LOG, X[0], X[1]) + bad, policy=parse_numbered(SECOND).policy)


WORDS = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "w1", "w2", "g", "any", "all", "1", "2", "#", "\t", LOG.verifier.vkey, X[0].verifier.vkey]
)
LINES = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=8).map(lambda lines: "\n".join([*lines, ""]).encode())


@given(st.binary(max_size=200) | LINES)
def test_only_our_error_leaves_the_readers(raw: bytes) -> None:
    for read in (parse_policy, parse_numbered, lambda text: open_next(text, before=parse_numbered(FIRST))):
        try:
            read(raw)
        except LogError:
            continue


@given(st.integers(0, len(SECOND) - 1), st.integers(1, 255))
def test_no_byte_of_a_policy_can_change(at: int, change: int) -> None:
    note = signed(SECOND, LOG)
    altered = note[:at] + bytes([note[at] ^ change]) + note[at + 1 :]
    with pytest.raises(LogError):
        open_next(altered, before=parse_numbered(FIRST))


def policy_text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in (LOG_LINE, W1, W2, W3, *lines)).encode()
