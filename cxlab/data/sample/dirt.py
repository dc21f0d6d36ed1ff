"""What is wrong with the raw files, planted row by row so that each can be counted.

A kind of dirt copies rows of an export and spoils them: the good rows stay as they
are, and the truth with them. `where` keeps to rows known before the log ends, since a
row from after the cutoff is not counted by anybody. Rows are per 5,000 customers.
"""

from dataclasses import dataclass

__all__ = ["DIRT", "MERGED", "Dirt"]

ASIDE = "set aside"
EXCLUDED = "excluded by rule"
KEPT = "used"

_KNOWN = "_at < timestamp '2026-09-30 17:00:00'"


@dataclass(frozen=True, kw_only=True)
class Dirt:
    """One kind of dirt.

    Attributes
    ----------
    name : str
        What it is, in words.
    export : str
        Name of the export that holds it.
    table : str
        Table it would reach.
    fate, reason : str
        What becomes of such a row in a snapshot, as it says.
    replace : str
        SQL of the columns that differ from the row copied.
    where : str
        SQL of the rows that can be copied.
    rows : int
        Per 5,000 customers, at least one.
    """

    name: str
    export: str
    table: str
    fate: str
    reason: str
    replace: str
    where: str = _KNOWN
    rows: int = 5

    def among(self, customers: int) -> int:
        """How many rows of so many customers."""
        return max(1, round(self.rows * customers / 5_000))


def _known(condition: str) -> str:
    return f"{_KNOWN} and {condition}"


# Nothing is planted for it: people just have accounts in several places.
MERGED = Dirt(name="several accounts of one person", export="", table="customers", fate=EXCLUDED,
              reason="another account of the same person", replace="")  # fmt: skip

_EQUAL = "the key {} stands twice in equal rows"
_DIFFERENT = "the key {} stands twice in different rows"

DIRT = (
    Dirt(name="CRM record without a number", export="crm_accounts", table="customers", fate=ASIDE,
         reason="customer_id must not be empty", replace="null as AccountNo", rows=4),
    Dirt(name="CRM year of birth in words", export="crm_accounts", table="customers", fate=ASIDE,
         reason="birth_year must read as a whole number", rows=3,
         replace="AccountNo::bigint + 60000000 as AccountNo, 'tidak tahu' as BirthYear"),
    Dirt(name="web order sent twice", export="webshop_orders", table="orders", fate=ASIDE,
         reason=_EQUAL.format("order_id"), replace="order_ref as order_ref", rows=12),
    Dirt(name="web order sent again with another sum", export="webshop_orders", table="orders",
         fate=ASIDE, reason=_DIFFERENT.format("order_id"), rows=6,
         replace="'1' || goods_total as goods_total",
         where=_known("state not in ('refunded')")),
    Dirt(name="web order with an unreadable sum", export="webshop_orders", table="orders",
         fate=ASIDE, reason="net_amount must read as an amount of money", rows=8,
         replace="order_ref || '-x1' as order_ref, '#N/A' as goods_total"),
    Dirt(name="web order with an impossible moment", export="webshop_orders", table="orders",
         fate=ASIDE, reason="placed_at must read as a moment", rows=6,
         replace="order_ref || '-x2' as order_ref, '2026-02-30T25:61:00Z' as ordered_at"),
    Dirt(name="web order of a user nobody knows", export="webshop_orders", table="orders",
         fate=ASIDE, reason="customer_id names no row of customers", rows=7,
         replace="order_ref || '-x3' as order_ref, 1 as user_id"),
    Dirt(name="web order without a buyer", export="webshop_orders", table="orders", fate=ASIDE,
         reason="customer_id must not be empty", rows=4,
         replace="order_ref || '-x4' as order_ref, null as user_id, null as guest_md5"),
    Dirt(name="web order from the year 2999", export="webshop_orders", table="orders", fate=ASIDE,
         reason="placed_at must lie between 1900 and 2200", rows=5,
         replace="order_ref || '-x5' as order_ref, '2999-12-31T00:00:00Z' as ordered_at"),
    Dirt(name="test order of the web shop", export="webshop_orders", table="orders", fate=EXCLUDED,
         reason="test order", rows=10,
         replace="'TEST-' || order_ref as order_ref, true as is_test"),
    Dirt(name="receipt in the hour that comes twice", export="tills_receipts", table="orders",
         fate=KEPT, reason="", rows=2, where=_known("country = 'NL'"),
         replace="receipt || '-x1' as receipt, '2025-10-26 02:30:00' as local_time"),
    Dirt(name="receipt in the hour that never was", export="tills_receipts", table="orders",
         fate=KEPT, reason="", rows=2, where=_known("country = 'NL'"),
         replace="receipt || '-x2' as receipt, '2026-03-29 02:30:00' as local_time"),
    Dirt(name="marketplace order with a torn sum", export="marketplace_orders", table="orders",
         fate=ASIDE, reason="net_amount must read as an amount of money", rows=6,
         replace="no_pesanan || '-x1' as no_pesanan, 'Rp 1.2' || chr(8230) as total_barang"),
    Dirt(name="call with a negative length", export="helpdesk_calls", table="contacts", fate=ASIDE,
         reason="handle_s must not be negative", rows=8,
         replace="'X' || call_id as call_id, -abs(talk_s::double) - 1 as talk_s"),
    Dirt(name="call of a customer nobody knows", export="helpdesk_calls", table="contacts",
         fate=ASIDE, reason="customer_id names no row of customers", rows=5,
         replace="'Y' || call_id as call_id, '0000' as caller_md5"),
    Dirt(name="review above its scale", export="reviews_posts", table="comments", fate=ASIDE,
         reason="rating must lie on its scale", rows=5,
         replace="'X' || post_id as post_id, 11 as stars",
         where=_known("stars is not null")),
    Dirt(name="invoice with a torn sum", export="billing_invoices", table="invoices", fate=ASIDE,
         reason="total_amount must not be empty", rows=4,
         replace="'X' || invoice_id as invoice_id, null as total_cents"),
    Dirt(name="points booked twice", export="loyalty_ledger", table="loyalty", fate=ASIDE,
         reason=_EQUAL.format("entry_id"), replace="entry_id as entry_id", rows=10),
    Dirt(name="emoji in a comment", export="reviews_posts", table="comments", fate=KEPT, reason="",
         rows=6, replace="'E' || post_id as post_id, body || ' ' || chr(128525) as body"),
    Dirt(name="right-to-left text", export="reviews_posts", table="comments", fate=KEPT, reason="",
         rows=3, replace="'R' || post_id as post_id, "
         "'قهوة ممتازة ' || chr(8238) || ' kopi' as body"),
    Dirt(name="HTML in a comment", export="reviews_posts", table="comments", fate=KEPT, reason="",
         rows=4, replace="'H' || post_id as post_id, '<b>' || body || '</b><br>' as body"),
    Dirt(name="formula in a comment", export="reviews_posts", table="comments", fate=KEPT,
         reason="", rows=4, replace="'F' || post_id as post_id, '=SUM(1;1) ' || body as body"),
    Dirt(name="e-mail in a comment", export="reviews_posts", table="comments", fate=KEPT,
         reason="", rows=6,
         replace="'PE' || post_id as post_id, body || ' Balas ke ' || _email as body"),
    Dirt(name="phone in a comment", export="reviews_posts", table="comments", fate=KEPT,
         reason="", rows=6, replace="'PP' || post_id as post_id, "
         "body || ' Hubungi ' || replace(_phone, '+628', '08') as body"),
    Dirt(name="national id in a comment", export="reviews_posts", table="comments", fate=KEPT,
         reason="", rows=3,
         replace="'PN' || post_id as post_id, body || ' NIK ' || _nik as body"),
    Dirt(name="name in a comment", export="reviews_posts", table="comments", fate=KEPT,
         reason="", rows=6,
         replace="'PM' || post_id as post_id, body || ' Salam, ' || _name as body"),
    Dirt(name="street in a comment", export="reviews_posts", table="comments", fate=KEPT,
         reason="", rows=3, replace="'PS' || post_id as post_id, "
         "body || ' Alamat saya ' || _street as body"),
)  # fmt: skip
