"""The tables every study speaks: one line a column, as in the guide to mapping data.

A block is a table: its name, `(key)`, `known` and the moment from which a row is known, `-` where
it comes with the row it refers to, and `days new=moment` for local days that are added. A line
below reads `name kind[!] [in word word ...] [>=0] [share] [-> table] [hides column ...]`.
A kind is text, moment, day, whole, number, money or flag. `!` marks what a row must have.
A moment `hides` columns until it has come; until then they are missing, or read as given
after `=`.
"""

__all__ = ["TABLES"]

TABLES = r"""
customers (customer_id) known first_seen_at
    customer_id text!
    first_seen_at moment
    acquisition_channel text
    referred_by text
    party text in person organisation
    account_id text
    household_id text
    region text
    language text
    birth_year whole >=0

attributes (customer_id, attribute, valid_from) known valid_from
    customer_id text! -> customers
    attribute text!
    valid_from day!
    value text
    origin text in stated observed inferred
    important_to text in customer company

identities (id_type, id_value) known linked_at
    id_type text! in device cookie login email_hash phone_hash loyalty crm order survey
    id_value text!
    customer_id text! -> customers
    linked_at moment
    reason text
    rule text

links (left_type, left_value, right_type, right_value, linked_at) known linked_at
    left_type text! in device cookie login email_hash phone_hash loyalty crm order survey
    left_value text!
    right_type text! in device cookie login email_hash phone_hash loyalty crm order survey
    right_value text!
    linked_at moment!
    customer_id text
    reason text

erasures (customer_id, requested_at) known -
    customer_id text!
    requested_at moment!

consents (customer_id, purpose, valid_from, status) known valid_from
    customer_id text! -> customers
    purpose text! in service analytics research marketing
    valid_from moment!
    status text! in granted denied withdrawn

interactions (interaction_id) known occurred_at
    interaction_id text!
    customer_id text -> customers
    anonymous_id text
    occurred_at moment!
    activity text!
    touchpoint text
    stage text
    channel text
    session_id text
    object_type text
    object_id text
    outcome text in success fail abandoned
    duration_s number >=0
    wait_s number >=0
    value_amount money
    campaign_id text
    is_bot flag

messages (message_id) known sent_at
    message_id text!
    customer_id text! -> customers
    campaign_id text
    channel text!
    sent_at moment!
    delivered_at moment
    opened_at moment
    clicked_at moment
    bounced_at moment
    unsubscribed_at moment
    complained_at moment
    personalisation text in none name_only segment individual
    product_id text
    eligible flag
    in_stock_at_send flag
    already_owned flag
    cost_amount money

campaigns (campaign_id) known starts_on
    campaign_id text!
    name text
    channel text!
    starts_on day
    ends_on day
    impressions whole >=0
    cost_amount money

orders (order_id) known placed_at days placed_on=placed_at
    order_id text!
    customer_id text! -> customers
    placed_at moment!
    channel text
    store_id text
    status text in placed paid fulfilled cancelled returned
    status_at moment hides status=placed
    net_amount money!
    discount_amount money
    shipping_amount money
    quote_id text

order_lines (order_id, line_no) known -
    order_id text! -> orders
    line_no whole! >=0
    product_id text!
    category text
    quantity number! >=0
    net_amount money!
    cost_amount money
    sale_type text in new repeat cross_sell upsell bundle renewal
    stock_at_order text in in_stock low out
    cancelled_at moment hides cancel_reason
    cancel_reason text in customer out_of_stock payment other

returns (return_id) known requested_at
    return_id text!
    order_id text! -> orders
    requested_at moment!
    reason text in defect not_as_described late changed_mind wrong_item
    refund_amount money
    resolved_at moment hides refund_amount

opportunities (opportunity_id) known created_at
    opportunity_id text!
    customer_id text!
    owner_id text
    created_at moment!
    closed_at moment hides outcome lost_reason
    outcome text in won lost
    lost_reason text
    amount money
    source_channel text

quotes (quote_id) known requested_at
    quote_id text!
    opportunity_id text
    customer_id text!
    requested_at moment!
    issued_at moment hides net_amount list_amount
    accepted_at moment
    list_amount money
    net_amount money
    revisions whole >=0
    approval_min number >=0
    config_error flag

tickets (ticket_id) known opened_at
    ticket_id text!
    customer_id text! -> customers
    opened_at moment!
    channel text
    topic text
    is_complaint flag
    first_reply_at moment
    solved_at moment hides reopened compensation_amount
    reopened flag
    transfers whole >=0
    team text
    related_order_id text
    compensation_amount money

contacts (contact_id) known started_at
    contact_id text!
    ticket_id text
    customer_id text! -> customers
    started_at moment!
    channel text
    team text
    wait_s number >=0
    handle_s number >=0
    recognised flag
    history_available flag
    had_to_repeat flag
    abandoned flag
    cost_amount money

invitations (invitation_id) known sent_at
    invitation_id text!
    customer_id text! -> customers
    survey text!
    sent_at moment!
    delivered_at moment
    opened_at moment
    started_at moment
    finished_at moment
    selection_prob number share
    trigger_type text
    trigger_id text

answers (response_id, question) known answered_at days answered_on=answered_at
    response_id text!
    question text!
    customer_id text! -> customers
    survey text!
    invitation_id text
    answered_at moment!
    construct text! in nps csat ces driver emotion personality attachment expectation \
        importance intent
    dimension text
    value number!
    scale_min number!
    scale_max number!
    reversed flag
    touchpoint text
    order_id text -> orders

names (customer_id, name) known -
    customer_id text
    name text!

comments (comment_id) known written_at
    comment_id text!
    customer_id text -> customers
    written_at moment!
    origin text in survey ticket review social chat
    text text!
    language text
    topic text
    rating number
    scale_min number
    scale_max number
    touchpoint text
    order_id text -> orders
    reach number >=0

referrals (referral_id) known referred_at
    referral_id text!
    referrer_id text! -> customers
    referred_id text
    referred_at moment!
    order_id text
    reward_amount money

margins (variable, level) known -
    variable text!
    level text!
    share number! share

loyalty (entry_id) known booked_at
    entry_id text!
    customer_id text! -> customers
    booked_at moment!
    kind text! in join earn redeem expire tier
    points number
    tier text

subscriptions (subscription_id) known started_at
    subscription_id text!
    customer_id text! -> customers
    plan text
    started_at moment!
    ended_at moment hides end_kind end_reason
    end_kind text in voluntary involuntary
    end_reason text
    monthly_amount money

subscription_changes (subscription_id, changed_at) known changed_at
    subscription_id text! -> subscriptions
    changed_at moment!
    kind text! in upgrade downgrade pause resume price_rise reactivate
    monthly_amount_before money
    monthly_amount_after money

usage (subscription_id, period_on) known period_on
    subscription_id text! -> subscriptions
    period_on day!
    units number! >=0
    included_units number >=0
    overage_amount money

invoices (invoice_id) known issued_at
    invoice_id text!
    customer_id text! -> customers
    subscription_id text
    order_id text
    issued_at moment!
    due_on day
    paid_at moment
    total_amount money!
    failed_attempts whole >=0
    dunning_stage whole >=0
    disputed_at moment
    dispute_resolved_at moment
    corrected flag

promises (promise_id) known promised_at
    promise_id text!
    customer_id text! -> customers
    kind text! in delivery_date price sla availability attribute
    object_type text
    object_id text
    promised_at moment!
    promised_value text!
    revised_value text
    due_at moment
    resolved_at moment hides actual_value
    actual_value text
    kept flag
    owner text

shipments (shipment_id) known - days delivered_on=delivered_at
    shipment_id text!
    order_id text! -> orders
    carrier text
    promised_on day!
    shipped_at moment
    delivered_at moment hides in_full exception
    in_full flag
    exception text in lost damaged wrong_address

stock_events (event_id) known occurred_at
    event_id text!
    product_id text!
    order_id text
    occurred_at moment!
    kind text! in stockout_after_order backorder substitute arrive

shifts (team, interval_start_at) known interval_start_at
    team text!
    interval_start_at moment!
    required_min number! >=0
    present_min number! >=0
    skilled_min number >=0
    employee_engagement number

costs (period_on, activity) known period_on
    period_on day!
    activity text!
    amount money!
    units number >=0

exposures (initiative, unit_id) known assigned_at
    initiative text!
    unit_id text!
    arm text!
    assigned_at moment!
    first_exposed_at moment

initiative_costs (initiative, booked_on) known booked_on
    initiative text!
    booked_on day!
    amount money!
    kind text in one_off running
"""
