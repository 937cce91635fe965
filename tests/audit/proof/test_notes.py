"""Keys, notes and checkpoints: held to Go's published note, to C2SP's rules, and to forgers."""

from hashlib import sha256

import pytest

from monitor.audit.proof.checkpoint import read_checkpoint, sign_checkpoint
from monitor.audit.proof.keys import SigningKey, VerifierKey, keyring, signing_keys
from monitor.audit.proof.note import parse, sign, split
from monitor.errors import ProofInvalid, UsageError

# From the documentation of golang.org/x/mod/sumdb/note.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
GO_NOTE = f"{GO_TEXT}\n\u2014 PeterNeumann {GO_SIGNATURE}\n"
ROOT = sha256(b"root").digest()
KEY = SigningKey.generate("example.org/trial")
OTHER = SigningKey.generate("example.org/trial")


def test_a_note_signed_here_is_the_one_that_go_publishes() -> None:
    assert str(sign(GO_TEXT, [SigningKey.parse(GO_PRIVATE)])) == GO_NOTE


def test_go_s_note_is_read_and_its_signer_named() -> None:
    signers = parse(GO_NOTE).signers([VerifierKey.parse(GO_VERIFIER)])
    assert [key.line for key in signers] == [GO_VERIFIER]


def test_keys_survive_being_written_down() -> None:
    assert SigningKey.parse(KEY.line) == KEY
    assert VerifierKey.parse(KEY.verifier.line) == KEY.verifier
    assert SigningKey.parse(GO_PRIVATE).verifier.line == GO_VERIFIER


def test_a_signing_key_does_not_show_its_secret() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+AAAA",
        GO_VERIFIER.replace("c74f20a3", "c74f20a4"),
        GO_VERIFIER.replace("+ARpc", "+AhpC"),
        GO_VERIFIER.replace("PeterNeumann", "Peter Neumann"),
    ],
)
def test_what_is_no_verifier_key_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        VerifierKey.parse(line)


@pytest.mark.parametrize("line", [GO_VERIFIER, GO_PRIVATE[:-4], GO_PRIVATE.replace("c74f20a3", "00000000")])
def test_what_is_no_signing_key_is_refused_without_being_shown(line: str) -> None:
    with pytest.raises(UsageError) as refusal:
        SigningKey.parse(line)
    assert "AYEK" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", "with blank", "with+plus", "with\nline", "no\u00a0break"])
def test_a_name_that_no_note_can_bear_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a key"):
        SigningKey.generate(name)


def test_keys_of_one_file_have_one_name() -> None:
    with pytest.raises(UsageError, match="one name"):
        signing_keys(f"{KEY.line}\n{GO_PRIVATE}\n")
    with pytest.raises(UsageError, match="no key"):
        signing_keys("# nothing yet\n")


def test_a_checkpoint_survives_being_written_down() -> None:
    signed = sign_checkpoint(7, ROOT, [KEY])
    again = read_checkpoint(str(signed.note))

    assert again == signed
    assert again.check([KEY.verifier]) == (KEY.verifier,)
    assert again.footer == f"log checkpoint: 7, {ROOT.hex()[:16]}, key {KEY.verifier.id.hex()}"


def test_in_the_overlap_of_two_keys_either_is_enough() -> None:
    signed = sign_checkpoint(7, ROOT, [KEY, OTHER])

    assert signed.check([KEY.verifier]) == (KEY.verifier,)
    assert signed.check([OTHER.verifier]) == (OTHER.verifier,)
    assert signed.check(keyring(f"# old\n{KEY.verifier.line}\n\n# new\n{OTHER.verifier.line}\n")) == (
        KEY.verifier,
        OTHER.verifier,
    )


def test_a_checkpoint_of_an_unknown_key_is_refused() -> None:
    with pytest.raises(ProofInvalid, match="none of the keys"):
        sign_checkpoint(7, ROOT, [KEY]).check([OTHER.verifier])


def test_a_key_vouches_for_its_own_origin_alone() -> None:
    stranger = SigningKey.generate("example.org/other-trial")
    note = sign(sign_checkpoint(7, ROOT, [KEY]).checkpoint.text, [stranger])

    with pytest.raises(ProofInvalid, match="none of the keys"):
        read_checkpoint(str(note)).check([stranger.verifier])


def test_a_changed_checkpoint_is_refused() -> None:
    forged = str(sign_checkpoint(7, ROOT, [KEY]).note).replace("\n7\n", "\n8\n")
    with pytest.raises(ProofInvalid, match="not of this note"):
        read_checkpoint(forged).check([KEY.verifier])


def test_a_false_signature_beside_a_true_one_spoils_the_note() -> None:
    good = str(sign_checkpoint(7, ROOT, [KEY]).note)
    false = str(sign_checkpoint(8, ROOT, [OTHER]).note).splitlines()[-1]
    with pytest.raises(ProofInvalid):
        read_checkpoint(f"{good}{false}\n").check([KEY.verifier, OTHER.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name %%%%\n",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n\u2014 na+me AAAAAAAA\n",
        "text\n\n\u2014 name AAAAAAAA",
        "te\x07xt\n\n\u2014 name AAAAAAAA\n",
        "text\n\n" + "\u2014 name AAAAAAAA\n" * 101,
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(ProofInvalid):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n7\n",
        "origin\n07\nAAAA\n",
        "origin\n+7\nAAAA\n",
        "origin\n7\nAAAA\n",
        "origin\n\u0667\n" + "A" * 43 + "=\n",
        "origin\n9999999999999999999\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ProofInvalid, match="no checkpoint"):
        read_checkpoint(str(sign(text, [KEY])))


def test_a_file_of_notes_gives_them_one_by_one() -> None:
    notes = [str(sign_checkpoint(size, ROOT, [KEY, OTHER]).note) for size in (1, 2, 3)]

    assert list(split("\n".join(notes))) == notes
    assert list(split("".join(notes))) == notes
    assert list(split("")) == []
    with pytest.raises(ProofInvalid):
        [parse(text) for text in split(notes[0] + "torn")]
