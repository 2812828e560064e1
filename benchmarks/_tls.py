"""An authority of a test's own, and a certificate of it for one address."""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nguon.demo.stack import Outside

LIFE = timedelta(days=7)


def make_outside(folder: Path, *, host: str, enter: Iterable[str]) -> Outside:
    """Make authority, certificate and key in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mine, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    subject = _name("authority of a test")
    authority = (
        _begin(subject, subject, mine.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(mine, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(mine.public_key())
    server = (
        _begin(subject, _name(host), theirs.public_key())
        .add_extension(names, critical=False)
        .add_extension(key_id, critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .sign(mine, hashes.SHA256())
    )
    outside = Outside(
        host=host,
        authority=folder / "authority.pem",
        certificate=folder / "server.pem",
        key=folder / "server.key",
        enter=tuple(enter),
    )
    form = serialization.Encoding.PEM
    outside.authority.write_bytes(authority.public_bytes(form))
    outside.certificate.write_bytes(server.public_bytes(form))
    outside.key.touch(mode=0o600)
    outside.key.write_bytes(
        theirs.private_bytes(
            form,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return outside


def _begin(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(tz=UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
