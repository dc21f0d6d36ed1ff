"""Write docs/data-model.md from the contracts, so that the page cannot differ from the code.

Run it after a change of cxlab/data/tables.py: python docs/data_model.py
"""

from pathlib import Path

from cxlab.data.model import Column, Contract, contracts

PAGE = Path(__file__).with_name("data-model.md")

INTRO = """# The tables every study speaks

<!-- Made by docs/data_model.py from cxlab/data/tables.py; a test holds the two equal. -->

A study maps its raw sources onto these tables, one `tables/<name>.sql` each. Only `customers`
is required: a chapter whose tables are missing says so on a card. Columns beyond those listed
are kept and may be used to compare groups.

- **must** marks what no row may lack. All other columns may be empty or left out.
- A *moment* is UTC; one without a zone is read in the study's `time_zone`. A *day* is a calendar
  day, *money* an amount in the study's one currency with two decimals, a *share* a number from
  0 to 1.
- A row that lacks what it must have is set aside, and too many of them stop the run. So what is
  optional at its source is filtered in the mapping: a comment without text is no row of
  `comments`. There and in `answers`, a value beyond the row's own scale is set aside too.
- In a closed list, a value that is not in it reads as `other` and is counted in the report.
- "Known from" is the moment at which a row begins to exist: a cycle leaves out rows known only
  after its end. A table without one is known with the rows it refers to. `loaded_at`, where a
  source has it, comes before it.
- "Hides" names columns that read as empty, or as given after `=`, until the moment of their own
  row has come. A moment after a cycle's end always reads as empty.
- Every table may have `source` (which system says so), `loaded_at` (since when we know) and
  `excluded_by` (a reason to leave the row out and count it).
- Names, e-mail addresses, phone numbers and the like never enter: a column named so is refused.
"""

ONE_ROW = {
    "customers": "a person or an organisation",
    "attributes": "what is known of a customer from a day on",
    "identities": "an identifier that belongs to a customer",
    "links": "two ids that a system saw together: `identities` and persons are made of them",
    "erasures": "a person who asked to be erased: all rows of theirs leave, in every cycle",
    "consents": "what a customer allowed or forbade, from a moment on",
    "interactions": "something that a customer did, in any channel",
    "messages": "a message to a customer",
    "campaigns": "a campaign, also offline",
    "orders": "an order; the amount is after discounts and refunds, without tax and shipping",
    "order_lines": "a line of an order",
    "returns": "a return",
    "opportunities": "a chance to sell; the customer may be a prospect",
    "quotes": "a quote; the customer may be a prospect",
    "tickets": "a request or a complaint",
    "contacts": "a call, a chat or a visit about a ticket",
    "invitations": "an invitation to a survey",
    "answers": "an answer to one question of a survey",
    "names": "a person's name, to be masked in free text; it is kept nowhere",
    "comments": "something that a customer wrote; an answer without text is none",
    "referrals": "a recommendation that was made",
    "margins": "what share of the customer base is how: targets for weighting",
    "loyalty": "an entry in a loyalty account",
    "subscriptions": "a subscription",
    "subscription_changes": "a change of a subscription",
    "usage": "what was used of a subscription in a period",
    "invoices": "an invoice",
    "promises": "a promise to a customer",
    "shipments": "a parcel; `promised_on` is the day promised first",
    "stock_events": "a stockout, a backorder, a substitute, an arrival",
    "shifts": "what a team needed and had in an interval",
    "costs": "what an activity cost in a period",
    "exposures": "a unit that was assigned to an arm of an initiative",
    "initiative_costs": "what an initiative cost",
}


def page() -> str:
    """Return the page."""
    return "\n".join([INTRO, *(_section(contract) for contract in contracts().values())])


def _section(contract: Contract) -> str:
    key = ", ".join(f"`{name}`" for name in contract.key)
    known = f"; known from `{contract.known}`" if contract.known else ""
    lines = [
        f"## {contract.table}\n",
        f"One row: {ONE_ROW[contract.table]}. Key: {key}{known}.\n",
        "| column | kind | must | notes |",
        "|---|---|---|---|",
    ]
    lines += [_line(c) for c in contract.columns if c.name not in ("source", "loaded_at")]
    lines += [f"| `{day}` | day | | added: the local day of `{of}` |" for day, of in contract.days]
    return "\n".join(lines) + "\n"


def _line(column: Column) -> str:
    notes = []
    if column.one_of:
        notes.append(", ".join(column.one_of))
    if column.not_negative:
        notes.append("not negative")
    if column.references:
        notes.append(f"a row of `{column.references}`")
    if column.hides:
        notes.append("hides " + ", ".join(f"`{name}`" for name in column.hides))
    kind = "share" if column.share else column.kind
    must = "must" if column.required else ""
    return f"| `{column.name}` | {kind} | {must} | {'; '.join(notes)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
