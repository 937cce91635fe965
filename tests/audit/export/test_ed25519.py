"""The Ed25519 of the verifier that goes with an export: RFC 8032's vectors, and the library as oracle."""

import random

import pytest

from monitor.audit.export.verifier import L, ed25519_signed
from monitor.audit.proof.keys import SigningKey

# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]


@pytest.mark.parametrize(("public", "text", "signature"), VECTORS)
def test_the_signatures_of_rfc_8032_hold(public: str, text: str, signature: str) -> None:
    assert ed25519_signed(bytes.fromhex(public), bytes.fromhex(text), bytes.fromhex(signature))


@pytest.mark.parametrize(("public", "text", "signature"), VECTORS)
def test_no_other_text_key_or_signature_holds(public: str, text: str, signature: str) -> None:
    key, message, signed = bytes.fromhex(public), bytes.fromhex(text), bytes.fromhex(signature)

    assert not ed25519_signed(key, message + b"x", signed)
    assert not ed25519_signed(key, message, signed[:-1] + bytes([signed[-1] ^ 1]))
    assert not ed25519_signed(key, message, bytes([signed[0] ^ 1]) + signed[1:])
    assert not ed25519_signed(bytes([key[0] ^ 1]) + key[1:], message, signed)
    assert not ed25519_signed(key, message, signed[:-1])
    assert not ed25519_signed(key[:-1], message, signed)


def test_a_signature_cannot_be_written_in_a_second_way() -> None:
    key, text, signed = (bytes.fromhex(part) for part in VECTORS[1])
    other = (int.from_bytes(signed[32:], "little") + L).to_bytes(32, "little")

    assert not ed25519_signed(key, text, signed[:32] + other)


def test_what_is_no_point_of_the_curve_is_no_key() -> None:
    assert not ed25519_signed(b"\xff" * 32, b"", bytes(64))
    assert not ed25519_signed((2).to_bytes(32, "little"), b"", bytes(64))


@pytest.mark.parametrize("seed", range(12))
def test_it_agrees_with_the_library(seed: int) -> None:
    chance = random.Random(seed)
    key = SigningKey("example.org/trial", chance.randbytes(32))
    text = chance.randbytes(chance.randrange(200))
    signature = key.sign(text)
    spoilt = bytearray(signature)
    spoilt[chance.randrange(64)] ^= 1 << chance.randrange(8)

    assert ed25519_signed(key.verifier.public, text, signature)
    assert not ed25519_signed(key.verifier.public, text, bytes(spoilt))
    assert not key.verifier.signed(text, bytes(spoilt))
