"""The keys that verify signatures: the operator's from the settings, and those of accounts."""

from collections.abc import Sequence

from msgspec import Struct

from libs.delivery.address import Address, is_signature
from libs.delivery.errors import AddressNotSigned, AddressSignatureInvalid
from libs.delivery.short_memory import ShortMemory
from libs.storage import delivery_keys


class SigningKey(Struct, frozen=True):
    """A key, and the account whose images it opens."""

    id: str
    secret: str
    owner: int | None = None  # None: an operator's key, which opens all images


class KeyRing:
    """Finds keys by the ids that addresses name."""

    def __init__(self, operators: Sequence[str]) -> None:
        self._operators = {key.id: key for key in map(parse_key, operators)}
        self._accounts: ShortMemory[str, SigningKey] = ShortMemory(size=1000)

    async def verify(self, address: Address) -> tuple[SigningKey, Address]:
        """Return the key that signed an address, and the address as it was signed.

        Raises:
            AddressNotSigned: It has no signature.
            AddressSignatureInvalid: The key is unknown or revoked, or the signature is wrong.
        """
        if address.key_id is None:
            raise AddressNotSigned("the address needs a signature: /t/{key}.{signature}/...")
        key = self._operators.get(address.key_id) or await self._of_account(address.key_id)
        for form in (address, address.with_plain_separators()):
            if key is not None and is_signature(key.secret, form.signed, form.signature):
                return key, form
        raise AddressSignatureInvalid(
            f"the signature does not fit {address.signed[:200]!r}, or there is no key {address.key_id!r}"
        )

    async def _of_account(self, key_id: str) -> SigningKey | None:
        found = self._accounts.get(key_id)
        if found is None and len(key_id) == delivery_keys.ID_LENGTH:
            row = await delivery_keys.by_key_id(key_id)
            if row is not None:
                found = SigningKey(row.key_id, row.secret, row.owner)
                self._accounts.put(key_id, found)
        return found


def parse_key(text: str) -> SigningKey:
    """Parse `id:secret`, as `DARKROOM_DELIVERY_KEYS` has it."""
    key_id, _, secret = text.partition(":")
    return SigningKey(key_id, secret)
