"""WeCom's callback envelope (developer page 90968) through ``wechatpy``, with what wechatpy leaves out.

wechatpy compares signatures with ``!=``, knows no replay window and raises half a dozen unrelated exceptions. Here the
signature is compared in constant time before anything is decrypted, and every way of being wrong is one exception.
"""

import hashlib
import hmac
import re
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped]  # comes with wechatpy, whose own parser uses it

AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
TOKEN = re.compile(r"[A-Za-z0-9]{1,32}")
# What the XML parsers were seen to raise on hostile input: KeyError is a LookupError, UnicodeError a ValueError.
_WRONG = (ExpatError, LookupError, ValueError, TypeError, AttributeError)


class WecomRefused(Exception):
    """A callback that is not WeCom's, or not of now. The reason is for the log; the caller only learns 403."""


class WecomCrypto:
    """``token`` and ``aes_key`` of the callback; ``receiver`` is the corporation id, empty for an in-house robot.

    Raises ``ValueError`` for a key that is not 43 letters and digits.
    """

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        if not AES_KEY.fullmatch(aes_key):
            raise ValueError(f"the EncodingAESKey has {len(aes_key)} characters instead of 43 letters and digits")
        # Imported here: who has no WeCom does not wait a third of a second for it at every start.
        from wechatpy.enterprise.crypto import WeChatCrypto

        self._token = token
        self._crypto = WeChatCrypto(token, aes_key, receiver)

    def open(self, encrypted: str, signature: str, timestamp: str, nonce: str) -> str:
        """The plaintext of a signed message; raises ``WecomRefused``."""
        signed = "".join(sorted([self._token, timestamp, nonce, encrypted]))
        expected = hashlib.sha1(signed.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise WecomRefused("the signature does not fit")
        try:
            return str(self._crypto.decrypt_message({"Encrypt": encrypted}, signature, timestamp, nonce))
        except Exception as error:
            # IndexError, ValueError, struct.error … were measured; whatever else a broken message provokes in there,
            # it is a broken message.
            raise WecomRefused(f"cannot be decrypted: {type(error).__name__}") from error

    def seal(self, plain: str, timestamp: str, nonce: str) -> str:
        """The encrypted XML of a passive reply. The nonce must be the one of the call that is answered."""
        return str(self._crypto.encrypt_message(plain, nonce, timestamp))


def envelope(raw: bytes) -> str:
    """The ``Encrypt`` element of a callback's body; raises ``WecomRefused``. Entities are refused by the parser."""
    try:
        encrypted = xmltodict.parse(raw)["xml"]["Encrypt"]
    except _WRONG as error:
        raise WecomRefused(f"not an encrypted message: {type(error).__name__}") from error
    if not isinstance(encrypted, str):
        raise WecomRefused("not an encrypted message: no single Encrypt")
    return encrypted


def message_fields(plain: str) -> dict[str, Any]:
    """The elements of a decrypted message; raises ``WecomRefused``.

    wechatpy 1.8.18 calls clicks on template cards an unknown message; their elements are in ``_data`` all the same.
    """
    from wechatpy.enterprise import parse_message  # loaded with ``WecomCrypto`` already

    try:
        fields = parse_message(plain)._data
    except _WRONG as error:
        raise WecomRefused(f"not a message: {type(error).__name__}") from error
    if not isinstance(fields, dict):
        raise WecomRefused("not a message: no elements")
    return fields
