"""Certificates for a server on this machine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for `localhost` that is valid for an hour, and its key."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


class Chain(NamedTuple):
    """A certificate with a chain, as PEM files."""

    root: Path
    """The authority's, which clients trust."""
    whole: Path
    """The server's certificate, with the intermediate one."""
    alone: Path
    """The server's certificate without it."""
    key: Path


def chained(folder: Path, *, name: str = "localhost", days: float = 90.0) -> Chain:
    """Write a server's certificate for `name`, which an intermediate one has signed.

    `days`: of its validity, from now; below 0: it has expired.
    """
    folder.mkdir()
    root_key, middle_key, key = (Ed25519PrivateKey.generate() for _ in range(3))
    root = _certificate("root", "root", root_key, root_key, is_authority=True)
    middle = _certificate("middle", "root", middle_key, root_key, is_authority=True)
    server = _certificate(name, "middle", key, middle_key, days=days)
    paths = Chain(*(folder / f"{each}.pem" for each in Chain._fields))
    paths.root.write_bytes(root)
    paths.whole.write_bytes(server + middle)
    paths.alone.write_bytes(server)
    paths.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def _certificate(
    name: str,
    issuer: str,
    key: Ed25519PrivateKey,
    issuer_key: Ed25519PrivateKey,
    *,
    is_authority: bool = False,
    days: float = 90.0,
) -> bytes:
    subject, signer = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer)
    )
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(issuer_key, None)
        .public_bytes(Encoding.PEM)
    )
