"""What are they worth? Sales, who comes back, and where revenue came from and went."""

from cxlab.loyalty.advocacy import Advocacy, advocacy, origins
from cxlab.loyalty.bridge import Bridge, order_bridge, recurring_bridge
from cxlab.loyalty.cohorts import Cohorts, cohorts
from cxlab.loyalty.cross_selling import CrossSelling, cross_selling
from cxlab.loyalty.ladder import Ladder, ladder
from cxlab.loyalty.lifetime_value import LifetimeValue, lifetime_value
from cxlab.loyalty.next_products import NextProducts, next_products
from cxlab.loyalty.outlook import Outlook, still_buying
from cxlab.loyalty.repeat_buying import RepeatPurchases, repeat_buying
from cxlab.loyalty.sales import Sales, sales, standing
from cxlab.loyalty.word_of_mouth import WordOfMouth, word_of_mouth

__all__ = [
    "Advocacy",
    "Bridge",
    "Cohorts",
    "CrossSelling",
    "Ladder",
    "LifetimeValue",
    "NextProducts",
    "Outlook",
    "RepeatPurchases",
    "Sales",
    "WordOfMouth",
    "advocacy",
    "cohorts",
    "cross_selling",
    "ladder",
    "lifetime_value",
    "next_products",
    "order_bridge",
    "origins",
    "recurring_bridge",
    "repeat_buying",
    "sales",
    "standing",
    "still_buying",
    "word_of_mouth",
]
